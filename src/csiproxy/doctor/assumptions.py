"""What this program assumes of Windows and no test here can show: one table, with a self-test for each.

``csi-proxy doctor --self-test`` tries them; the list in docs/windows.md is made of the same table.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption: ``text`` is what is assumed, ``where`` it stands, ``source`` why it is believed.

    ``tries`` says what the self-test does, or by hand what somebody may do; ``test`` is the self-test as
    ``module:function`` below this package, "" where there is none.  One that is of Windows alone asks past
    the port, so that an emulated node cannot be asked.
    """

    name: str
    text: str
    where: str
    source: str
    tries: str
    test: str = ""
    of_windows_alone: bool = False


ASSUMPTIONS: tuple[Assumption, ...] = (
    # --- disks
    Assumption(
        "policy-offline",
        "a disk that SAN policy holds back has OfflineReason 1 (Policy)",
        "`operations/disk.py`",
        "MSFT_Disk page",
        "looks at disks that are offline",
        "disks:held_back_by_policy",
    ),
    Assumption(
        "offline-partitions",
        "an offline disk lists its partitions, and its volumes are not associated with them",
        "`storage/disk.py`, emulator",
        "observation reported by others",
        "takes a disk with a volume offline",
        "disks:offline_disk",
    ),
    Assumption(
        "reserved-partition",
        "Initialize(GPT) makes the reserved partition by itself, and the first data partition starts at "
        "16 MiB",
        "emulator",
        "observation reported by others",
        "initializes a disk and makes a partition",
        "disks:layout",
    ),
    Assumption(
        "growth",
        "a partition's free tail may be computed from its neighbours and the disk's end less 1 MiB",
        "`storage/disk.py`",
        "observation of Resize's limits (41012, 4097)",
        "grows a partition by that, after a MiB more was refused",
        "disks:growth",
    ),
    Assumption(
        "volume-arrival",
        "a volume of a new partition arrives within ten seconds",
        "`operations/disk.py`",
        "none",
        "makes a partition and waits",
        "disks:arrival",
    ),
    Assumption(
        "drive-letter",
        "MSFT_Volume is found by DriveLetter given as a number",
        "`storage/volume.py`",
        "WMI documentation of char16",
        "asks for the volume of `C:`",
        "volumes:drive_letter",
    ),
    Assumption(
        "raw-refresh",
        "Refresh of a raw disk returns 41000, and takes the new size all the same",
        "`storage/disk.py`, emulator",
        "page of Refresh lists the code",
        "refreshes a raw disk after it was made larger",
        "disks:refresh_of_a_raw_disk",
    ),
    Assumption(
        "offline-attributes",
        "SetAttributes of an offline disk returns 41003, so a disk comes online before its read-only "
        "attribute is cleared",
        "`operations/disk.py`, emulator",
        "page of SetAttributes lists the code",
        "sets an attribute of an offline disk",
        "disks:attributes_of_an_offline_disk",
    ),
    Assumption(
        "large-fat32",
        "Format of FAT32 over 32 GiB returns 4097",
        "emulator",
        "none; the service refuses it itself (87)",
        "formats 40 GiB, thinly made",
        "disks:large_fat32",
    ),
    Assumption(
        "identity",
        "UniqueId is one of page 83's identifiers; which, what an offline partition shows and "
        "OperationalStatus of volumes",
        "emulator",
        "pages are silent",
        "reads them all and says what they are",
        "disks:identity",
    ),
    Assumption(
        "driver",
        "MSFT_Disk.Path opens the disk for questions, and its driver tells number and page 83",
        "`windows/win32.py`",
        "pages of the two IOCTLs",
        "asks the driver of a disk",
        "disks:driver",
    ),
    # --- iSCSI
    Assumption(
        "iscsi-failures",
        "the iSCSI classes fail with HRESULT 0xEFFFnnnn; a return value of that number means the same here",
        "`storage/codes.py`, emulator",
        "ids that the cmdlets show",
        "discovers at 127.0.0.1:1, where nobody listens",
        "iscsi:refused_portal",
    ),
    Assumption(
        "iscsi-disks",
        "a target's disks hang on its connections, come some seconds after the login, and say their LUN in "
        "MSFT_Disk.Location",
        "`storage/iscsi.py`, `operations/iscsi_lun.py`",
        "pages of the associations; how others use them",
        "looks at targets that are logged in to already",
        "iscsi:disks_of_a_target",
    ),
    Assumption(
        "iscsi-sessions",
        "a second Connect gives 0xEFFF003F, a logout in use 0xEFFF0040, and a persistent session has to be "
        "unregistered first",
        "`operations/iscsi.py`, emulator",
        "status codes; observation reported by others",
        "by hand, as it takes a target: log in twice with `csi-proxy call iscsi/v1alpha2 ConnectTarget`",
    ),
    Assumption(
        "chap-length",
        "CHAP secrets have at most 16 bytes",
        "`operations/iscsi.py`, emulator",
        "general knowledge",
        "by hand, as it would replace the node's own secret: `SetMutualChapSecret` with 17 bytes",
    ),
    # --- directories, links, mount points
    Assumption(
        "link",
        "a directory that vanishes with its handle is kept as a link by FILE_DISPOSITION_ON_CLOSE",
        "`windows/win32.py`",
        "FILE_DISPOSITION_INFORMATION_EX page; Wine keeps a plain one",
        "makes a link and looks whether it stays",
        "files:link",
    ),
    Assumption(
        "link-of-directory",
        "FSCTL_SET_REPARSE_POINT makes a link of an empty directory in one step, and refuses another (145)",
        "`windows/win32.py`",
        "its page; Wine has no reparse points",
        "tries it with and without content",
        "files:link_of_a_directory",
    ),
    Assumption(
        "walk",
        "FILE_OPEN_REPARSE_POINT opens a link itself, and its attributes and tag say what it is",
        "`windows/handles.py`",
        "NtCreateFile page; Wine has no reparse points",
        "opens and removes a link as if it were a directory",
        "files:walk_meets_link",
    ),
    Assumption(
        "removal",
        "a directory that is removed while it is open loses its name at once (POSIX semantics)",
        "`windows/nt_calls.py`",
        "FILE_DISPOSITION_INFORMATION_EX page; so under Wine",
        "removes one that is open",
        "files:removal_of_what_is_open",
    ),
    Assumption(
        "moved-directory",
        "GetFinalPathNameByHandle tells where an open directory is now",
        "`windows/win32.py`",
        "its page; Wine tells where it was",
        "renames one that is open",
        "windows_files:moved_directory",
        of_windows_alone=True,
    ),
    Assumption(
        "held-directory",
        "neither a directory that is open without sharing of deletion can be renamed, nor one above it",
        "`windows/mounting.py`",
        "CreateFile page; of those above, observation reported by others",
        "tries both",
        "windows_files:held_directory",
        of_windows_alone=True,
    ),
    Assumption(
        "short-name",
        "the normalized final path has long names, so that short ones are recognised",
        "`windows/handles.py`",
        "GetFinalPathNameByHandle page",
        "opens a directory by its short name",
        "windows_files:short_name",
        of_windows_alone=True,
    ),
    Assumption(
        "mount-point",
        "SetVolumeMountPoint works while the directories above are held, writes "
        r"`\??\Volume{guid}\` into the reparse point, and the volume's root says its own name",
        "`windows/mounting.py`, `windows/reparse_data.py`",
        "pages; Wine has no mount points",
        "mounts a volume, looks through it, unmounts it",
        "volumes:mount_point",
    ),
    Assumption(
        "vanished-volume",
        "the mount point of a volume that has vanished stays, and can be cleared",
        "`windows/mounting.py`",
        "FSCTL_DELETE_REPARSE_POINT page",
        "takes the disk of a mounted volume away",
        "volumes:mount_point_of_a_vanished_volume",
    ),
    Assumption(
        "link-privilege",
        "SeCreateSymbolicLinkPrivilege has to be switched on and can be, by administrators and the system",
        "`windows/privileges.py`",
        "FSCTL_SET_REPARSE_POINT page; Wine does not know it",
        "switches it on",
        "accounts:link_privilege",
        of_windows_alone=True,
    ),
    Assumption(
        "few-privileges",
        "WMI and mount points need no privilege of the caller but those that the service keeps",
        "`windows/privileges.py`",
        "documentation of privileges; Wine checks none",
        "by hand: stage a volume through `serve`, and again with `--drop-privileges=false` where that fails",
    ),
    # --- pipes
    Assumption(
        "pipe-owner",
        "only SYSTEM and administrators can make themselves the owner of a pipe, and an elevated "
        "administrator's pipes are owned by Administrators",
        "`rpc/pipe_peer.py`",
        "documentation of owners of new objects; Wine names a group of its own",
        "makes a pipe and looks whether its client trusts it",
        "pipes:owner",
        of_windows_alone=True,
    ),
    Assumption(
        "first-instance",
        "FILE_FLAG_FIRST_PIPE_INSTANCE fails with 5 or 231 where the name is taken",
        "`rpc/pipe_listener.py`",
        "CreateNamedPipe page; Wine does not enforce it",
        "makes two",
        "pipes:first_instance",
        of_windows_alone=True,
    ),
    Assumption(
        "pipe-access",
        "the DACL of a pipe keeps others out",
        "`rpc/pipe_listener.py`",
        "CreateNamedPipe page; Wine does not enforce it",
        "connects to one that lets nobody in",
        "pipes:access_list",
        of_windows_alone=True,
    ),
    Assumption(
        "remote-clients",
        "remote clients of a pipe are rejected",
        "`rpc/pipe_listener.py`",
        "CreateNamedPipe page; Wine has no pipes of other machines",
        "connects by this machine's address",
        "pipes:remote_clients",
        of_windows_alone=True,
    ),
    Assumption(
        "anonymous-client",
        "a client that asks for SECURITY_ANONYMOUS is impersonated as S-1-5-7 or not at all",
        "`rpc/pipe_peer.py`",
        "Impersonation levels page; Wine shows the full token",
        "impersonates one",
        "pipes:anonymous_client",
        of_windows_alone=True,
    ),
    Assumption(
        "account-lookup",
        "`sechost.dll` has LookupAccountSidLocalW, which asks no domain controller",
        "`rpc/pipe_peer.py`",
        "its page; also in Wine",
        "looks up a name",
        "pipes:account_lookup",
        of_windows_alone=True,
    ),
    Assumption(
        "last-words",
        "what was written before CloseHandle can still be read at the other end",
        "`rpc/pipe.py`",
        "so under Wine",
        "writes, closes, reads",
        "pipes:last_words",
        of_windows_alone=True,
    ),
    Assumption(
        "thread-end",
        "a thread that ends does not cancel operations of handles on a completion port",
        "`rpc/crew.py`",
        "CancelIo page",
        "begins to read in a thread that ends",
        "pipes:thread_that_ends",
        of_windows_alone=True,
    ),
    # --- running
    Assumption(
        "console",
        "Ctrl-Break, closing the window and shutting down end `serve` in order",
        "`windows/console.py`",
        "HandlerRoutine page; Wine tells of Ctrl-C only",
        "by hand: do so where `serve` runs, and look for the log's last lines",
    ),
    Assumption(
        "service-recovery",
        "recovery actions restart the service; an end with an error of its own counts as a failure; "
        "pre-shutdown is told",
        "`windows/service_control.py`, `windows/service_host.py`",
        "their pages; Wine does not act on them",
        "by hand: `taskkill /F /PID` of the service's process, and after 5 s `csi-proxy service status`",
    ),
    Assumption(
        "folder-guard",
        r"the folder guard reads the lists of real folders (Program Files, a folder in `C:\`) as it should",
        "`windows/folder_guard.py`",
        "lists as Windows has them, read under Wine",
        "asks it about both",
        "accounts:folders",
        of_windows_alone=True,
    ),
    Assumption(
        "memory-files",
        "a partition's AccessPaths hold its letter and all its mount points; page files are on volumes with "
        "a letter, and Win32_PageFileUsage and Win32_OSRecoveryConfiguration name what is in use",
        "`operations/rails.py`",
        "their pages",
        "by hand: put a page file on a data disk, and have its disk taken offline by SetDiskState",
    ),
    Assumption(
        "clustered-and-spaces",
        "a cluster's disk has IsClustered or a metadata partition; a disk of Storage Spaces has bus 16",
        "`storage/disk.py`",
        "MSFT_Disk page, PARTITION_INFORMATION_GPT page",
        "by hand: ask PartitionDisk for such disks",
    ),
    Assumption(
        "letters-by-itself",
        "Windows gives letters by itself to volumes of MBR disks, and of GPT disks unless "
        "NoDefaultDriveLetter is set",
        "`operations/rails.py`",
        "documentation of automount",
        "by hand: attach disks of both kinds, and look at `Get-Partition`",
    ),
    Assumption(
        "crash-reports",
        "Windows Error Reporting may keep the memory of a process that crashes; nothing here forbids it",
        "docs",
        "WerSetFlags page",
        "by hand: crash the service during a call, and look for the call's secret in the dump",
    ),
    Assumption(
        "event-texts",
        "EventCreate.exe shows an event's text as it is written, for ids from 1 to 1000",
        "`windows/event_log.py`",
        "its use by others; Wine keeps no events",
        "reads its texts for some ids",
        "events:texts",
        of_windows_alone=True,
    ),
    Assumption(
        "container-administrator",
        "ContainerAdministrator's token has Administrators enabled, as the host sees it",
        "docs",
        "container documentation",
        "by hand, as it takes a container: mount a pipe into a process-isolated one, call it as that user, "
        "and look for the caller's account in the audit log",
    ),
)
