"""Encodings: how a text file writes its characters; what it can't tell is asked, never guessed.

UTF-8 and UTF-16 prove themselves. The two-byte codes of Chinese and the one-byte codes of Europe
accept almost any bytes, so that a decision needs evidence: how common the characters are that they
would mean.
"""

import codecs
import contextlib
import functools
import re
from typing import NamedTuple

import opencc

from helpers.settings import refusal

MARKS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES = {  # what people call them
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "ansi": "",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
    "windows-1251": "cp1251",
    "utf8": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "cp950": "big5",
    "windows-1250": "cp1250",
    "latin2": "iso-8859-2",
    "latin-2": "iso-8859-2",
    "euc-kr": "cp949",
    "ks-c-5601": "cp949",
    "uhc": "cp949",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "euc-jp": "euc_jp",
}
READ = (
    *("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "big5", "cp1252", "cp1251"),
    *(
        "cp1250",
        "iso-8859-2",
        "cp949",
        "cp932",
        "euc_jp",
    ),
)
SAMPLE = 1 << 18  # bytes that a decision is made of
SURE = 0.7  # of the characters beyond ASCII must be common ones
APART = 0.3  # by which the next best must lag behind
SHOWN = 40  # characters of a candidate's reading
WESTERN = frozenset("äöüßÄÖÜéèêëàâáçñóòôíìîúùûÉÈÀÁÇÑÓÍÚåøæÅØÆ°§²³€£½«»–—‘’“”…·®©´¿¡ãõœ")


# words that no language of Western Europe has, as those of Central Europe look in its letters
FOREIGN = re.compile(
    r"[aeiouyóê]³|(?<![m\d])³[a-zóê]|¹[a-zóê¿]|[a-z]¿|¼[a-z]{2}|£[a-zóœ¹]{3}|¯[a-zóê]{2}|¥[a-z]{2}"
    r"|ì[a-z]|õs\b|\bè[a-zìø]|è[aeiouáéíy]|ù[a-z]|ñ(?![aeiouáéíóúyü])|œ(?![ui])|iæ\b"
    r"|\w*ø\w*[áíýìùž]\w*|\w*[áíýìùž]\w*ø\w*"
    r"|\w*(?:sz|gy|cs|ny|zs|[áéíóú])\w*õ(?!e)\w*|\w*õ(?!e)\w*(?:sz|gy|cs|ny|zs|[áéíóú])\w*",
    re.IGNORECASE,
)
HALF = 0.5  # as sure: then another reading is not taken without a word
KANA = 0.15  # of what is Japanese
LATIN = 0.25  # of a word's letters are ASCII's
SURE_FOREIGN, SHARE_FOREIGN = 3, 0.1  # such words, and their share of those beyond ASCII
# syllables that two thirds of Korean are made of
KOREAN = frozenset(
    "이다의에는가을지로서기자고도사리정시원대인수부상전일제아스주보구한하은나라어해를조장유비동경지"
    "성소신여과관들장세연화진선안공있요만면우것그되등마영미국개학무오물년재음건중문트산용실계강남북"
    "서울광대점매금액품판거래처명합코드호번량단"
)
FIRST_HANGUL, LAST_HANGUL = 0xB0, 0xC8  # lead bytes; Chinese uses those beyond as often
MIN_SPREAD = 8  # characters of Chinese of which some lie beyond


class Candidate(NamedTuple):
    """An encoding that a file may be in, how well it fits (0–1), and what a line would read."""

    encoding: str
    fit: float
    reading: str


def known_encoding(name: str, told: str) -> str:
    """Give the codec of an encoding that a person named.

    Raises
    ------
    DataError
        If it is none of those that are read.
    """
    plain = name.strip().lower().replace("_", "-")
    found = NAMES.get(plain, plain)
    if found not in READ:
        raise refusal("no_such_encoding", told=told, name=name)
    return found


def encoding_of(sample: bytes, told: str) -> str:
    """Tell a text file's encoding from its first bytes.

    Raises
    ------
    DataError
        If they fit several, which are shown side by side, or none.
    """
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return encoding
    if encoding := _without_mark(sample):
        return encoding
    cut = _whole_lines(sample)
    try:
        cut.decode("utf-8")
        return "utf-8-sig"
    except UnicodeDecodeError as error:
        if _is_broken_utf8(cut):
            line = cut.count(b"\n", 0, error.start) + 1
            raise refusal(
                "broken_utf8", told=told, line=line, example=_around(cut, error.start)
            ) from None
    found = candidates(cut)
    if found and found[0].fit >= SURE and (len(found) == 1 or found[0].fit - found[1].fit >= APART):
        return found[0].encoding
    shown = "; ".join(f"{c.encoding}: {c.reading!r}" for c in found[:3])
    at = re.search(rb"[^\x00-\x7f]", cut)
    line = cut.count(b"\n", 0, at.start()) + 1 if at else 1
    if shown:
        raise refusal("encoding_of", told=told, line=line, shown=shown)
    raise refusal("encoding_unknown", told=told, line=line)


def require_not_utf8(sample: bytes, encoding: str, told: str) -> None:
    """Raise if a file is said to be in an encoding of its own and proves to be UTF-8.

    Raises
    ------
    DataError
        If so: read otherwise, every letter beyond ASCII would be another.
    """
    if encoding.startswith("utf"):
        return
    cut = _whole_lines(sample)
    with contextlib.suppress(UnicodeDecodeError):
        if not cut.isascii() and cut.decode("utf-8"):
            raise refusal("is_utf8", told=told, encoding=encoding)


def candidates(sample: bytes) -> list[Candidate]:
    """List the encodings that bytes may be in, best first."""
    found = []
    for encoding in ("gb18030", "big5", "cp1252", "cp1251", "cp1250", "cp949", "euc_jp", "cp932"):
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        fit = {
            "cp1252": _western_fit,
            "cp1251": _cyrillic_fit,
            "cp1250": _central_fit,
            "cp949": _korean_fit,
            "euc_jp": lambda _sample, text=text: _japanese_fit(text),
            "cp932": lambda _sample, text=text: _japanese_fit(text),
        }.get(encoding)
        fits = fit(sample) if fit else _chinese_fit(text)
        if encoding == "gb18030" and _has_korean_bytes(sample):
            fits = min(fits, 0.5)
        if encoding == "big5" and _central_fit(sample) >= HALF * SURE:
            fits = min(fits, 0.65)
        if fits > 0:
            found.append(Candidate(encoding, fits, _reading(text)))
    return sorted(found, key=lambda c: -c.fit)


def require_encoded(lines, told: str):
    """Pass lines on; a byte that the encoding does not have ends them with its line's number.

    Raises
    ------
    DataError
        If one can't be decoded.
    """
    n = 0
    try:
        for line in lines:
            n += 1
            yield line
    except UnicodeDecodeError as error:
        # the bytes are decoded in pieces, whose first lines have been passed on
        n += 1 + error.object.count(b"\n", 0, error.start)
        raise refusal(
            "not_in_encoding",
            told=told,
            n=n,
            encoding=error.encoding,
            example=_around(error.object, error.start),
        ) from None


def _without_mark(sample: bytes) -> str:
    """Tell UTF-16 by the zero bytes that ASCII has in it, on one side."""
    if len(sample) < 4 or b"\0" not in sample:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    # separators, digits and line ends are ASCII in a table of whatever script
    if odd > 0.2 * half and even < 0.02 * half:
        return "utf-16-le"
    if even > 0.2 * half and odd < 0.02 * half:
        return "utf-16-be"
    return ""


def _whole_lines(sample: bytes) -> bytes:
    """Cut a sample behind its last line, where a character of several bytes may be torn."""
    if len(sample) < SAMPLE:
        return sample
    end = max(sample.rfind(b"\n"), sample.rfind(b"\r"))
    return sample[: end + 1] if end > 0 else sample


def _is_broken_utf8(sample: bytes) -> bool:
    """Whether most characters of several bytes are UTF-8's."""
    whole = len(re.findall(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", sample))
    text = sample.decode("utf-8", "replace")
    return whole > 0 and text.count("\ufffd") <= 0.05 * whole + 1


@functools.cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _chinese_fit(text: str) -> float:
    """Share of characters beyond ASCII that are common in Chinese, in either script.

    Common are the 3,755 of GB2312's first level, once simplified; punctuation counts for less.
    Bytes of one code, read in the other, give characters that hardly anyone writes.
    """
    n = good = 0.0
    for character in _simplified().convert(text):
        if character < "\x80" or "\u2500" <= character <= "\u257f":  # lines that draw a table
            continue
        n += 1
        try:
            lead = character.encode("gb2312")[0]
        except UnicodeEncodeError:
            continue
        if 0xB0 <= lead <= 0xD7:
            good += 1
        elif lead in (0xA1, 0xA3):
            good += 0.7
    return good / n if n else 0.0


def _western_fit(sample: bytes) -> float:
    """Share of high bytes that stand alone between ASCII and are letters of Western Europe."""
    high = re.findall(rb"[\x80-\xff]+", sample)
    if not high:
        return 0.0
    n = sum(map(len, high))
    good = 0
    for run in high:
        text = run.decode("cp1252", "replace")
        if len(run) <= 2:
            good += sum(character in WESTERN for character in text)
    return good / n * (1 - _foreign(sample))


def _latin_words(sample: bytes) -> tuple[list[str], int]:
    """List the words beyond ASCII of which many letters are its own, and count all of them."""
    text = sample.decode("cp1252", "replace")
    high = [word for word in re.findall(r"[^\s\d,;|\"]+", text) if not word.isascii()]
    latin = [w for w in high if sum(c.isascii() and c.isalpha() for c in w) >= LATIN * len(w)]
    return latin, len(high)


def _foreign(sample: bytes) -> float:
    """Tell how sure it is that words are of Central Europe: 0 where there is none of them, 1 where
    there are many, else in between, so that neither reading is sure.
    """
    words, _n_high = _latin_words(sample)
    n = sum(bool(FOREIGN.search(word)) for word in words)
    if not n:
        return 0.0
    return 1.0 if n >= SURE_FOREIGN and n >= SHARE_FOREIGN * len(words) else 0.4


def _central_fit(sample: bytes) -> float:
    """Share of high bytes that are letters in Polish, Czech, Hungarian and the like, where words
    say that it is one of these, and none is of another script.
    """
    letters = [c for c in sample.decode("cp1250", "replace") if c > "\x7f"]
    words, n_high = _latin_words(sample)
    if not letters or not words:
        return 0.0
    return _foreign(sample) * len(words) / n_high * sum(map(str.isalpha, letters)) / len(letters)


def _korean_fit(sample: bytes) -> float:
    """Share of characters beyond ASCII that are syllables, where they are those that are common."""
    text = [c for c in sample.decode("cp949", "replace") if c > "\x7f"]
    syllables = [c for c in text if "가" <= c <= "힣"]
    if not syllables:
        return 0.0
    common = sum(c in KOREAN for c in syllables) / len(syllables)
    return len(syllables) / len(text) * min(1.0, 2 * common)


def _japanese_fit(text: str) -> float:
    """Share of characters beyond ASCII that are kana or common signs, where some are kana."""
    high = [c for c in text if c > "\x7f"]
    kana = sum("\u3041" <= c <= "\u30fe" for c in high)
    signs = sum("\u4e00" <= c <= "\u9fff" for c in high)
    return (kana + signs) / len(high) if high and kana >= KANA * len(high) else 0.0


def _has_korean_bytes(sample: bytes) -> bool:
    """Whether so many characters have lead bytes of syllables alone that they are no Chinese."""
    leads = [pair[0] for pair in re.findall(rb"[\xa1-\xfe][\xa1-\xfe]", sample)]
    leads = [lead for lead in leads if lead >= FIRST_HANGUL]
    distinct = set(re.findall(rb"[\xb0-\xfe][\xa1-\xfe]", sample))
    beyond = sum(lead > LAST_HANGUL for lead in leads)
    return len(distinct) >= MIN_SPREAD and beyond <= 0.03 * len(leads)


def _cyrillic_fit(sample: bytes) -> float:
    """Share of high bytes in words of Russian: small letters behind at most one capital."""
    text = sample.decode("cp1251", "replace")
    high = [c for c in text if c > "\x7f"]
    if not high:
        return 0.0
    in_words = sum(
        len(word)
        for word in re.findall(r"[А-яЁё]{2,}", text)
        if re.fullmatch(r"[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+", word)
    )
    # two bytes of Chinese look like a capital and a small letter now and then, never for long
    vowels = sum(c in "аеиоуыэюяАЕИОУЭЮЯ" for c in high)
    return in_words / len(high) if 0.25 < vowels / len(high) < 0.6 else 0.0


def _reading(text: str) -> str:
    line = next((line for line in text.splitlines() if re.search(r"[^\x00-\x7f]", line)), "")
    at = re.search(r"[^\x00-\x7f]", line)
    start = max(at.start() - 10, 0) if at else 0
    return line[start : start + SHOWN]


def _around(raw: bytes, at: int) -> str:
    return bytes(raw[max(at - 12, 0) : at + 4]).split(b"\n")[-1].decode("latin-1")
