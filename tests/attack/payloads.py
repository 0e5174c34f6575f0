"""Hostile texts: patterns of published attacks on nodes, odd names, and texts for records and screens.

Each command of a pattern would make the file ``mark``, so that it is seen when somebody runs it.
"""

from collections.abc import Callable, Mapping, Sequence

Patterns = Callable[[str], Sequence[str]]


def _powershell(mark: str) -> Sequence[str]:
    """CVE-2023-3676 and -3955: a subexpression in a text that PowerShell evaluates."""
    return (
        rf"C:\var\lib\kubelet\pods\$(New-Item {mark})",
        f"$(New-Item {mark})",
        f"';New-Item {mark};'",
        f'";touch {mark};"',
        f"`touch {mark}`",
        rf"C:\var\lib\kubelet\plugins\kubernetes.io\csi\$(touch {mark})",
        f"@(touch {mark})",
        f"${{env:ComSpec}} /c touch {mark}",
        f"x; iex 'touch {mark}'",
    )


def _volume_ids(mark: str) -> Sequence[str]:
    """CVE-2023-3893: the same in what should be a volume's id or a path of csi-proxy."""
    head = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}"
    return (
        head + '\\" ; touch ' + mark + ' ; "',
        head + "\\' | Format-Volume; touch " + mark + " #",
        head + f"\\$(touch {mark})",
        f"{head}\\`n touch {mark}",
        f"' OR UniqueId LIKE '%' ; touch {mark} --",
        f"\\\\?\\Volume{{$(touch {mark})}}\\",
        "%' OR '1'='1",
    )


def _command_line(mark: str) -> Sequence[str]:
    """CVE-2023-5528: a second command behind an ampersand, where mklink is called by the command shell."""
    return (
        rf"C:\&touch {mark}&",
        rf"C:\var\lib\kubelet\pods\x&touch {mark}&",
        f"x && touch {mark}",
        f"x || touch {mark}",
        f"x | touch {mark}",
        f"x & touch {mark} & rem ",
        f"^&touch {mark}",
        f"%COMSPEC% /c touch {mark}",
        f"\n touch {mark}\n",
    )


def _mount_options(mark: str) -> Sequence[str]:
    """CVE-2023-3955: what goes into the arguments of a mount: user, password, share."""
    return (
        f'user" ; touch {mark} ; "',
        f"pass'$(touch {mark})'word",
        rf"\\server\share$(touch {mark})",
        rf"\\server\share & touch {mark}",
        f"-ArgumentList;touch {mark}",
        f"--help;touch {mark}",
    )


CVES: Mapping[str, Patterns] = {
    "CVE-2023-3676": _powershell,
    "CVE-2023-3955": _mount_options,
    "CVE-2023-3893": _volume_ids,
    "CVE-2023-5528": _command_line,
}

_TOP = r"C:\var\lib\kubelet"


def names(_: str) -> Sequence[str]:
    """Paths and names that mean something else to some layer of Windows."""
    return (
        "",
        " ",
        ".",
        "..",
        "\\",
        "/",
        "C:",
        "C:\\",
        "c:",
        r"C:\..",
        r"\\.\PhysicalDrive0",
        r"\\.\C:",
        r"\\?\C:\Windows",
        r"\\?\GLOBALROOT\Device\HarddiskVolume1",
        r"\??\C:\Windows",
        r"\\localhost\C$",
        r"\\127.0.0.1\C$\Windows",
        r"\\?\UNC\localhost\C$",
        _TOP,
        _TOP + "\\",
        _TOP + r"\..\..\Windows",
        _TOP + r"\a\..\..\..\..\Windows",
        _TOP + "-evil",
        _TOP + r"\CON",
        _TOP + r"\nul.txt",
        _TOP + r"\COM¹",
        _TOP + r"\a:stream",
        _TOP + r"\a::$DATA",
        _TOP + r"\a.",
        _TOP + "\\a ",
        _TOP + r"\PLUGIN~1",
        _TOP + r"\*",
        _TOP + r"\?",
        _TOP + "\\a\0b",
        _TOP + r"\a|b",
        _TOP.upper() + r"\..",
        _TOP.replace("\\", "/"),
        "C:/var/lib/kubelet/../x",
        "file:///C:/Windows",
        "%SystemRoot%",
        "~",
        "$env:TEMP",
        _TOP + "\\" + "a" * 300,
        _TOP + "\\a" * 200,
        "ＣＯＮ",
        _TOP + "\\．．",
        _TOP + "\\‥",
        _TOP + "\\ﬁ",
        _TOP + "\\ß",
        _TOP + "\\İ",
        "18446744073709551616",
        "-1",
        "4294967297",
        "0x10",
        "１",
        "1e3",
        "NaN",
        "\ud7ff\ue000",
        "\ufeff" + _TOP,
        _TOP + "\\a\u200b",
        "a" * 100_000,
    )


ESCAPES = "\x1b\x9b\x07\x08\x7f\x00\r\n\t\x85\u2028\u2029\u202e\u2066\u200b"


def screens(_: str) -> Sequence[str]:
    """Texts that would forge a line of a record or a log, or drive a terminal."""
    return (
        'x\n{"time":"2026-01-01T00:00:00Z","rpc":"/v1.Disk/Rescan","outcome":"OK"}',
        "x\r\nready: all endpoints answer",
        'x","outcome":"OK","y":"',
        "\x1b[2J\x1b[H\x1b[31mall is well",
        "\x1b]0;title\x07",
        "\x1b]52;c;cm0gLXJmIC8=\x07",
        "\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\",
        "\x9b31mred",
        "\x1b[6n\x1b[5i",
        "back\x08\x08\x08\x08over",
        "line\u2028separator\u2029paragraph\x85next",
        "\u202egpj.exe",
        "\u2066isolate\u2069",
        "[bold red]markup[/] [link=http://example.org]x[/link]",
        "{0.__class__.__init__.__globals__} %s %n %(x)s ${jndi:ldap://127.0.0.1/x}",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        ESCAPES,
    )
