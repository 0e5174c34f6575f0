"""What a path's text may be, rule by rule, and that a second statement of the rules agrees."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from csiproxy.errors import (
    CsiProxyError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Win32Error,
    WindowsCode,
)
from csiproxy.operations.context import Context
from csiproxy.operations.paths import MAX_LONG_PATH, MAX_NAME, MAX_PATH, Confinement, acting, parse, shown

KUBELET = r"C:\var\lib\kubelet"
PLUGINS = KUBELET + r"\plugins\kubernetes.io\csi"
PODS = KUBELET + r"\pods"

BAD_FORM, BAD_NAME, TOO_LONG, DENIED = 161, 123, 206, 5


def refusal(text: str, **options: object) -> tuple[type[CsiProxyError], int] | None:
    """How a text is refused, None when it is not."""
    try:
        parse(text, **options)  # type: ignore[arg-type]
    except CsiProxyError as error:
        return type(error), error.windows_code
    return None


# --- length ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit", "code"),
    [
        ("C:\\" + "\\".join(["a" * 99] * 2) + "\\" + "a" * 57, MAX_PATH, None),  # 260
        ("C:\\" + "\\".join(["a" * 99] * 2) + "\\" + "a" * 58, MAX_PATH, TOO_LONG),  # 261
        ("C:\\" + "\U0001f600" * 128, MAX_PATH, BAD_NAME),  # 259 units, but one name of 256
        ("C:\\" + "\U0001f600" * 100 + "\\" + "é" * 56, MAX_PATH, None),  # 260 units in 159 characters
        ("C:\\" + "\U0001f600" * 100 + "\\" + "é" * 57, MAX_PATH, TOO_LONG),
        ("C:\\" + "\\".join(["a" * 7] * 4095) + "\\a" * 2, MAX_LONG_PATH, None),  # 32,766
        ("C:\\" + "\\".join(["a" * 7] * 4095) + "\\a" * 3, MAX_LONG_PATH, TOO_LONG),  # 32,768
        # The first rule comes first: what is too long is not looked at.
        ('"' * 261, MAX_PATH, TOO_LONG),
    ],
)
def test_length_is_limited_in_utf16_units_before_anything_else_is_checked(text, limit, code):
    assert refusal(text, limit=limit) == (code and (InvalidArgument, code))


def test_a_name_has_at_most_255_utf16_units():
    assert refusal("C:\\" + "a" * MAX_NAME) is None
    assert refusal("C:\\" + "a" * (MAX_NAME + 1)) == (InvalidArgument, BAD_NAME)


# --- form --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\\",
        "C",
        "C:",
        "C:a",
        r"C:a\b",
        "C:/var",
        r"C:\var/lib",
        r"C:\a\\b",
        "C:\\\\",
        "C:\\a\\\\",
        r"CC:\a",
        r"1:\a",
        r"é:\a",
        r" C:\a",
        r"\var\lib",
        r"\\server\share",
        r"\\server\share\C:\a",
        r"\\?\C:\a",
        r"\\.\C:\a",
        r"\??\C:\a",
        r"\\?\Volume{11111111-2222-3333-4444-555555555555}\a",
        r"var\lib",
        r"..\a",
        "/var/lib",
        r"C:\a:b\\c",  # also an illegal name, but the form comes first
        r"C:\..\a/b",
    ],
)
def test_another_form_than_drive_and_names_is_161(text):
    assert refusal(text) == (InvalidArgument, BAD_FORM)


@pytest.mark.parametrize("text", [r"\\server\share", r"\\?\C:\a", r"\??\C:\a", r"\\.\pipe", "\\\\", "/a"])
def test_the_rooted_form_lets_no_other_namespace_in(text):
    assert refusal(text, rooted=True) == (InvalidArgument, BAD_FORM)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (r"C:\var\lib", ("C:", "var", "lib")),
        (r"c:\Var\Lib", ("C:", "Var", "Lib")),
        ("C:\\var\\lib\\", ("C:", "var", "lib")),
        ("C:\\", ("C:",)),
        (r"Z:\a", ("Z:", "a")),
        (r"C:\.a", ("C:", ".a")),
        (r"C:\a..b", ("C:", "a..b")),
        (r"C:\...a", ("C:", "...a")),
        (r"C:\ a", ("C:", " a")),
        (r"C:\kubernetes.io~csi", ("C:", "kubernetes.io~csi")),
        (r"C:\日本語\ß", ("C:", "日本語", "ß")),
    ],
)
def test_drive_and_names_are_split_and_one_last_backslash_is_dropped(text, parts):
    assert parse(text) == parts


@pytest.mark.parametrize("text", [r"\var\lib", "\\var\\lib\\", r"C:\var\lib"])
def test_the_rooted_form_is_read_as_drive_c(text):
    assert parse(text, rooted=True) == ("C:", "var", "lib")


def test_a_bare_backslash_is_the_root_of_drive_c_in_the_rooted_form():
    assert parse("\\", rooted=True) == ("C:",)


# --- names -------------------------------------------------------------------------------------------------

ILLEGAL = [*'<>:"|?*', *map(chr, range(32))]
DEVICES = (
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"COM{digit}" for digit in "0123456789¹²³"]
    + [f"LPT{digit}" for digit in "0123456789¹²³"]
)


@pytest.mark.parametrize("character", ILLEGAL, ids=ascii)
@pytest.mark.parametrize("text", ["C:\\a{}b", "C:\\{}\\x", "C:\\x\\{}"])
def test_an_illegal_character_in_any_name_is_123(text, character):
    assert refusal(text.format(character)) == (InvalidArgument, BAD_NAME)


@pytest.mark.parametrize("name", [".", "..", "a.", "a ", "...", "....", ". .", "a..", "a. ", " ", "  "])
def test_dots_that_mean_a_directory_and_dots_or_spaces_at_the_end_are_123(name):
    for text in (f"C:\\{name}", f"C:\\{name}\\x", f"C:\\x\\{name}\\", f"\\{name}\\x"):
        assert refusal(text, rooted=text[0] == "\\") == (InvalidArgument, BAD_NAME)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["{}", "{}.txt", "{}.tar.gz", "{} .txt", "{}.", "x\\{}", "{}\\x"])
def test_a_device_name_in_any_component_with_any_extension_is_123(device, form):
    for name in (device, device.lower(), device.title()):
        assert refusal("C:\\" + form.format(name)) == (InvalidArgument, BAD_NAME)


@pytest.mark.parametrize(
    "name", ["CONSOLE", "COM", "COM10", "COM⁴", "LPTX", "xNUL", "NULx", "a.NUL", "CON$", "AUX1"]
)
def test_a_name_that_only_resembles_a_device_is_legal(name):
    assert refusal("C:\\" + name) is None


def test_every_message_names_the_fault_and_shows_no_raw_control_character():
    with pytest.raises(InvalidArgument) as caught:
        parse("C:\\a\x1b[2Jb")
    assert "\x1b" not in str(caught.value)
    assert "\\u{1b}" in str(caught.value)


# --- a second statement of the grammar ---------------------------------------------------------------------

_DEVICE = r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])"
_NAME = re.compile(
    rf'(?!{_DEVICE} *(?:\.|$))(?=.*[^. ]\Z)[^<>:"|?*\\/\x00-\x1f]+', re.IGNORECASE | re.ASCII | re.DOTALL
)


def stated(text: str) -> tuple[str, ...] | int:
    """The parts of a legal path, or the code that refuses it: rules 1 to 3, read off KEP-1122 anew."""
    if len(text.encode("utf-16-le")) // 2 > 260:
        return 206
    drive, tail = text[:3], text[3:]
    well_formed = len(drive) == 3 and drive[0] in string.ascii_letters and drive[1:] == ":\\"
    pieces = tail.split("\\") if tail else []
    if pieces and pieces[-1] == "":
        pieces.pop()
        well_formed = well_formed and bool(pieces)
    if not well_formed or any(not piece for piece in pieces) or "/" in text:
        return 161
    for piece in pieces:
        if len(piece.encode("utf-16-le")) // 2 > 255 or not _NAME.fullmatch(piece):
            return 123
    return (drive[0].upper() + ":", *pieces)


SPICE = [
    *'\\:/.<>"|?* \x00\x1f',
    "..",
    "\\\\",
    "CON",
    "nul",
    "com¹",
    "LPT9",
    ".txt",
    "$",
    "a",
    "é",
    "ß",
    "😀",
]
PIECES = st.lists(st.sampled_from(SPICE) | st.text(max_size=3), max_size=12).map("".join)
LEGAL = st.lists(st.text("abcXYZ.~- é", min_size=1, max_size=90).map(lambda t: t + "z"), max_size=4).map(
    lambda names: "C:\\" + "\\".join(names)
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(LEGAL)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *SPICE])) + text[at + draw(st.integers(0, 2)) :]
    return text


@given(mutated() | PIECES | PIECES.map(lambda text: "C:\\" + text))
@example("C:\\" + "a" * 255)
@example("C:\\CON .x")
@example("C:\\a\n")
def test_an_independent_statement_of_the_rules_agrees(text):
    try:
        found: tuple[str, ...] | int = parse(text)
    except InvalidArgument as error:
        found = error.windows_code
    assert found == stated(text)


# --- prefixes ----------------------------------------------------------------------------------------------


@pytest.fixture
def confinement() -> Confinement:
    return Confinement([KUBELET, "D:\\work\\"], protected=[KUBELET, PLUGINS, PODS])


@pytest.mark.parametrize(
    ("text", "prefix", "names"),
    [
        (KUBELET, KUBELET, ()),
        (KUBELET + "\\", KUBELET, ()),
        (KUBELET + r"\pods\1", KUBELET, ("pods", "1")),
        (r"c:\VAR\Lib\KUBELET\Pods", KUBELET, ("Pods",)),
        (r"d:\WORK\x", r"D:\work", ("x",)),
    ],
)
def test_a_path_under_a_prefix_is_bound_to_it_ignoring_case(confinement, text, prefix, names):
    confined = confinement.confine(text)
    assert (confined.prefix, confined.names) == (prefix, names)


@pytest.mark.parametrize(
    "text",
    [
        r"C:\var\lib\kubelet-evil",
        r"C:\var\lib\kubelet-evil\x",
        r"C:\var\lib\kubele",
        r"C:\var\lib",
        "C:\\",
        r"E:\var\lib\kubelet",
        r"C:\Windows",
        r"D:\work2",
        r"D:\var\lib\kubelet",
    ],
)
def test_the_prefix_is_compared_by_component(confinement, text):
    for confine in (confinement.confine, confinement.confine_change, confinement.follow):
        with pytest.raises(PermissionDenied) as caught:
            confine(text)
        assert caught.value.windows_code == DENIED
    assert confinement.changeable(text) is None


def test_case_is_ignored_as_ntfs_does_and_no_further():
    confinement = Confinement([r"C:\straße\É"])
    assert confinement.confine(r"C:\STRAßE\é\x").names == ("x",)
    for text in (r"C:\STRASSE\é\x", "C:\\straße\\e\u0301\\x"):
        with pytest.raises(PermissionDenied):
            confinement.confine(text)


def test_the_closest_of_nested_prefixes_is_taken():
    confinement = Confinement([KUBELET, PODS])
    assert confinement.confine(PODS + r"\1").prefix == PODS
    assert confinement.confine(KUBELET + r"\x").prefix == KUBELET


@pytest.mark.parametrize(
    "text",
    [
        KUBELET,
        KUBELET + "\\",
        PODS,
        PODS.upper(),
        PLUGINS,
        KUBELET + r"\plugins",
        KUBELET + r"\plugins\kubernetes.io",
    ],
)
def test_a_prefix_and_a_directory_that_holds_one_cannot_be_changed(confinement, text):
    with pytest.raises(PermissionDenied) as caught:
        confinement.confine_change(text)
    assert caught.value.windows_code == DENIED
    assert confinement.changeable(text) is None
    assert confinement.confine(text) is not None  # asking is fine


@pytest.mark.parametrize(
    "text", [PODS + r"\1", PLUGINS + r"\pv", KUBELET + r"\plugins2", KUBELET + r"\other"]
)
def test_what_lies_below_or_beside_a_prefix_can_be_changed(confinement, text):
    assert str(confinement.confine_change(text)) == text
    assert str(confinement.changeable(text)) == text


def test_the_root_of_a_drive_can_be_a_prefix():
    confinement = Confinement(["D:\\"])
    assert str(confinement.confine("d:\\")) == "D:\\"
    assert str(confinement.confine_change(r"d:\a\b")) == r"D:\a\b"
    with pytest.raises(PermissionDenied):
        confinement.confine_change("D:\\")


@pytest.mark.parametrize(
    "target", [r"\\server\share", r"C:\other", "relative", r"\\?\C:\var\lib\kubelet\x", ""]
)
def test_following_a_link_out_of_the_prefixes_is_denied_whatever_its_form(confinement, target):
    with pytest.raises(PermissionDenied) as caught:
        confinement.follow(target)
    assert caught.value.windows_code == DENIED


def test_a_links_target_may_be_longer_than_a_requests_path(confinement):
    target = KUBELET + "\\" + "\\".join(["a" * 100] * 5)
    assert str(confinement.follow(target)) == target
    with pytest.raises(InvalidArgument):
        confinement.confine(target)


def test_a_configured_prefix_that_is_no_legal_path_is_refused():
    for prefix in ("kubelet", r"\\server\share", r"C:\a\..\b"):
        with pytest.raises(InvalidArgument):
            Confinement([prefix])


CONFINED = Confinement([KUBELET], protected=[PODS])


@given(
    mutated() | mutated().map(lambda text: KUBELET + text[2:]) | mutated().map(lambda t: t[2:]), st.booleans()
)
def test_whatever_is_confined_renders_back_under_its_prefix(text, rooted):
    for confine in (CONFINED.confine, CONFINED.confine_change):
        try:
            confined = confine(text, rooted=rooted)
        except (InvalidArgument, PermissionDenied):
            continue
        again = str(confined)
        assert again == KUBELET or again.startswith(KUBELET + "\\")
        assert CONFINED.confine(again, limit=MAX_LONG_PATH) == confined
        assert stated(again) == parse(again)


@given(st.lists(st.sampled_from([r"\pods", r"\PODS", r"\pod", r"\x", r"\plugins"]), max_size=3).map("".join))
def test_no_spelling_reaches_a_protected_prefix(tail):
    try:
        path = CONFINED.confine_change(KUBELET + tail)
    except PermissionDenied:
        return
    assert tuple(name.lower() for name in path.names) not in ((), ("pods",))


# --- what is said ------------------------------------------------------------------------------------------


def test_a_text_from_a_request_is_shown_printable_and_not_endless():
    assert shown("a\x00\n\u202e") == '"a\\u{0}\\u{a}\\u{202e}"'
    assert len(shown("x" * 100_000)) < 300


@pytest.mark.parametrize(
    ("raised", "noted"),
    [
        (Win32Error(4395, "NtCreateFile"), True),
        (PermissionDenied("a link leads elsewhere"), True),
        (Win32Error(5, "CreateFileW"), False),  # the host's own word about its access control lists
        (Win32Error(2, "CreateFileW"), False),
        (NotFound("none"), False),
    ],
)
def test_a_link_in_the_way_or_out_of_the_prefixes_is_noted_as_an_escape_attempt(raised, noted):
    context = Context()
    with pytest.raises(CsiProxyError), acting(context, "remove C:\\x"):
        raise raised
    assert [note.event for note in context.notes] == ["escape-attempt"] * noted


def test_host_failures_inside_an_action_are_judged():
    with pytest.raises(NotFound) as caught, acting(Context(), "look for C:\\x"):
        raise Win32Error(WindowsCode.PATH_NOT_FOUND, "CreateFileW")
    assert caught.value.windows_code == 3
    assert "look for C:\\x" in str(caught.value)
