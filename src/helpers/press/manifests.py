"""The manifest of an edition: whose it is, what it is made of, and which files are ours."""

import hashlib
import json
import os
import stat
import urllib.parse
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.settings import Workbook

try:
    import fcntl
except ImportError:  # Windows: two runs of one edition are not kept apart there
    fcntl = None


def manifest_of(place: Path, name: str = "") -> dict[str, Any] | None:
    """Read the manifest of an edition.

    None where there is none that a run of ours can have written.

    `name` is the edition's, where its folder has another: a language's, or that of work in
    progress.
    """
    try:
        file = place / "manifest.json"
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    texts, lists = ("workbook", "period", "printed"), ("pages", "cards")
    if not (
        isinstance(found, dict)
        and all(isinstance(found.get(name), str) for name in texts)
        and all(isinstance(found.get(name), list) for name in lists)
        and all(
            isinstance(page, dict) and isinstance(page.get("key"), str)
            for name in lists
            for page in found[name]
        )
    ):
        return None
    return found if found["period"] == (name or place.name).removesuffix("-draft") else None


def settings_of(book: Workbook, folder: Path) -> list[str]:
    """Tell one toml from another, by digests of where it lies as seen from the project, and from
    the folder of its editions.

    They are the same wherever one stands, and after both have moved together.
    """

    def seen(start: Path) -> str:
        try:
            path = Path(os.path.relpath(book.path, start.resolve())).as_posix()
        except ValueError:  # on another drive
            path = book.path.as_posix()
        return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    return [seen(book.project), seen(folder)]


def seal(edition: Path, archive: str = "") -> None:
    """Have an edition's manifest name all its files by their digests, and the zip that it is packed
    into.

    What the manifest does not name, or names otherwise, is somebody else's: see `put`.
    """
    file = edition / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["files"] = {
        path: file_digest(edition / path) for path in files_of(edition) if path != "manifest.json"
    }
    manifest |= {"archive": archive} if archive else {}
    manifest["seal"] = sealed(manifest)
    file.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


def sealed(manifest: Mapping[str, Any]) -> str:
    """Hash what a manifest says, without its seal."""
    told = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def laid_in(edition: Path, name: str = "") -> list[str]:
    """List the files of an edition that people laid into it, or changed.

    All that its manifest does not name as it is.

    A manifest that was itself changed names nothing.
    """
    manifest = manifest_of(edition, name) or {}
    named = manifest.get("files")
    if not isinstance(named, dict) or manifest.get("seal") != sealed(manifest):
        return files_of(edition)
    found = [
        path
        for path in files_of(edition)
        if path != "manifest.json" and file_digest(edition / path) != named.get(path)
    ]
    return [
        path
        for path in found
        if not (path == manifest.get("archive") and _is_packed(edition / path, edition))
    ]


def is_whole(edition: Path) -> bool:
    """Tell whether all that an edition's manifest names is there as it names it.

    What people laid in is beside that.
    """
    manifest = manifest_of(edition) or {}
    named, archive = manifest.get("files"), manifest.get("archive")
    return (
        isinstance(named, dict)
        and manifest.get("seal") == sealed(manifest)
        and all(file_digest(edition / path) == digest for path, digest in named.items())
        and (not archive or _is_packed(edition / archive, edition))
    )


def files_of(folder: Path) -> list[str]:
    """List the files of a folder by their paths within; links are not followed."""

    def told(error: OSError) -> None:
        raise error  # what can't be looked into can't be kept

    found = []
    for at, folders, names in os.walk(folder, onerror=told):
        linked = [name for name in folders if (Path(at) / name).is_symlink()]
        found += [(Path(at) / name).relative_to(folder).as_posix() for name in (*names, *linked)]
    return sorted(found)


def file_digest(path: Path) -> str:
    """Hash a plain file; "" for a link, a device, and what may not be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def start_page(edition: Path, name: str) -> bytes:
    """Give the page that an edition's zip opens at: its front page, which leads into the folder of
    that name beside it.
    """
    front = (edition / "index.html").read_bytes()
    base = f'<head>\n<base href="{urllib.parse.quote(name)}/">'
    return front.replace(b"<head>", base.encode(), 1)


def _is_packed(archive: Path, edition: Path) -> bool:
    """Tell whether a zip is the one that was packed with this edition."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = [
                name
                for name in packed.namelist()
                if name.endswith("/manifest.json") and name.count("/") == 1
            ]
            manifest = packed.read(names[0]) if len(names) == 1 else b""
            if manifest != (edition / "manifest.json").read_bytes():
                return False
            inside, named = f"{names[0].partition('/')[0]}/", json.loads(manifest)["files"]
            digests = {
                name: hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist()
            }
            digests.pop(names[0])
            start = hashlib.sha256(start_page(edition, inside[:-1])).hexdigest()
            return not packed.comment and digests == {
                f"{inside[:-1]}.html": start,
                **{inside + path: digest for path, digest in named.items()},
            }
    except (
        OSError,
        ValueError,
        LookupError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ):
        return False
