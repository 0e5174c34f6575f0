"""The Huffman code of HPACK strings (RFC 7541 5.2, appendix B): reading it.

The code is canonical, so the lengths of the 257 codes are all there is to know: codes are handed out in
order of length, and of symbol within a length.  We never write it; a few bytes less between two processes
of one machine are not worth the time.
"""

from typing import Final

_LENGTHS: Final = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c"
    "060a0a0c0d06080b0a0a080b080606060505050606060606060607080f060c0a"
    "0d06070707070707070707070707070707070707070707070807080d130d0e06"
    "0f05060506050606060507070606060506070605050607070707070f0b0e0d1c"
    "1416141416161617161717171717181718181617181717171715161716171718"
    "1615141616171715171616181516171715151615171617171416161617161617"
    "1a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b"
    "14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a"
    "1e"
)
_END: Final = 256
_ROOT: Final = 0


def _tree() -> tuple[list[list[int]], frozenset[int]]:
    """Build the code's tree: per inner node its two children, and the nodes where a string may end.

    A child >= 0 is another inner node, a child < 0 is the symbol ``~child``.  A string ends after less than
    eight bits of padding, all ones (RFC 7541 5.2).
    """
    nodes = [[0, 0]]
    code = length = 0
    for symbol in sorted(range(len(_LENGTHS)), key=lambda symbol: (_LENGTHS[symbol], symbol)):
        code <<= _LENGTHS[symbol] - length
        length = _LENGTHS[symbol]
        node = _ROOT
        for shift in range(length - 1, 0, -1):
            bit = code >> shift & 1
            if not nodes[node][bit]:
                nodes.append([0, 0])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][code & 1] = ~symbol
        code += 1
    ends = [_ROOT]
    for _ in range(7):
        ends.append(nodes[ends[-1]][1])
    return nodes, frozenset(ends)


_NODES, _ENDS = _tree()
_steps: dict[int, tuple[int, bytes]] = {}
"""What one byte does in one node: the next node and the symbols read.  Filled as strings come along, at
most 256 nodes times 256 bytes, so that reading takes one look-up a byte without a large table at start."""


def _step(node: int, byte: int) -> tuple[int, bytes]:
    read = bytearray()
    for shift in range(7, -1, -1):
        node_or_symbol = _NODES[node][byte >> shift & 1]
        if node_or_symbol >= 0:
            node = node_or_symbol
            continue
        if ~node_or_symbol == _END:
            raise ValueError("a Huffman string holds the end-of-string symbol")
        read.append(~node_or_symbol)
        node = _ROOT
    return node, bytes(read)


def decode(data: bytes) -> bytes:
    """Read a Huffman string.  Raise ValueError when it is not one."""
    node = _ROOT
    out = []
    for byte in data:
        key = node << 8 | byte
        found = _steps.get(key)
        if found is None:
            found = _steps[key] = _step(node, byte)
        node, read = found
        out.append(read)
    if node not in _ENDS:
        raise ValueError("a Huffman string ends in padding that is not up to seven ones")
    return b"".join(out)
