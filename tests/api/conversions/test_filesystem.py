"""Old versions of the filesystem group carry a context and an error text."""

import pytest
from tests.api.calls import METHODS, answer, convert

from csiproxy.api.filesystem import v2alpha1_pb2 as filesystem_v2alpha1
from csiproxy.errors import InvalidArgument


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
@pytest.mark.parametrize("rpc", ["PathExists", "Mkdir", "Rmdir"])
def test_a_path_context_has_no_effect_and_an_unknown_one_is_refused(version, rpc):
    path = f"/{version}.Filesystem/{rpc}"
    method = METHODS[path]
    for known in (0, 1):
        assert convert(path, method.request(path="C:\\a", context=known)) == method.hub_request(path="C:\\a")
    for unknown in (2, -1, 2**31 - 1):
        with pytest.raises(
            InvalidArgument, match=rf"context {unknown} is not a PathContext: give PLUGIN \(0\) or POD"
        ):
            convert(path, method.request(path="C:\\a", context=unknown))


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
def test_the_old_force_is_not_the_context(version):
    path = f"/{version}.Filesystem/Rmdir"
    request = METHODS[path].request
    assert convert(path, request(path="C:\\a", context=1)) == filesystem_v2alpha1.RmdirRequest(path="C:\\a")
    forced = filesystem_v2alpha1.RmdirRequest(path="C:\\a", force=True)
    assert convert(path, request(path="C:\\a", force=True)) == forced


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
@pytest.mark.parametrize("answered", [True, False])
def test_old_answers_keep_their_numbers_and_an_empty_error(version, answered):
    exists = answer(
        f"/{version}.Filesystem/PathExists", filesystem_v2alpha1.PathExistsResponse(exists=answered)
    )
    assert (exists.error, exists.exists) == ("", answered)
    mounted = answer(
        f"/{version}.Filesystem/IsMountPoint", filesystem_v2alpha1.IsSymlinkResponse(is_symlink=answered)
    )
    assert (mounted.error, mounted.is_mount_point) == ("", answered)


@pytest.mark.parametrize(
    ("path", "context"),
    [
        (r"C:\var\lib\kubelet\plugins\kubernetes.io\csi\pods\globalmount", 0),
        (r"C:\var\lib\kubelet\Pods\uid\volumes\plugins\mount", 1),
        (r"\var\lib\kubelet\pods\uid", 1),
        ("C:/var/lib/kubelet/pods/uid", 1),
        (r"C:\elsewhere", 0),
    ],
)
@pytest.mark.parametrize("rpc", ["PathExists", "Mkdir", "Rmdir"])
def test_a_caller_tells_an_old_server_the_context_that_the_path_has(rpc, path, context):
    method = METHODS[f"/v1beta1.Filesystem/{rpc}"]
    asked = method.request.FromString(method.write_request(method.hub_request(path=path)))
    assert (asked.path, asked.context) == (path, context)
