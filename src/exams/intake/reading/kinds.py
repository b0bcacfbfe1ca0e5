"""What a file is by its first bytes, whatever its name says."""

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty one
    b"PAR1": "parquet",
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"RIFF": "a RIFF file (sound, film or image)",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"SQLite format 3\x00": "an SQLite database",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old (.xls) or password-protected Office file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"BZh91AY&SY": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"ARROW1\x00\x00": "an Arrow file",
    b"FEA1": "a Feather file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"$FL2": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"\x7fELF": "a program",
}
_TAR_AT, _TAR = 257, b"ustar"


def kind_of(start: bytes) -> str:
    """Return gzip, zip, parquet, what else it is in words ("a PNG image"), or "" for text."""
    if start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "a tar archive"
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")


def written_as(text: str) -> str:
    """Return which kind of text this is that has no header ("an HTML page"), or ""."""
    head = text[:4096].lstrip().casefold()
    if head.startswith(("<!doctype html", "<html")) or (head[:1] == "<" and "<html" in head):
        return "an HTML page"
    if head.startswith("<"):
        return "an XML document"
    return "a JSON document" if head.startswith(("{", "[")) else ""
