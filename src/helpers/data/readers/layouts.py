"""Layouts: which rows of a grid are the table: titles, headers, totals and foot rows are not.

What is left out is told and counted: rows read and rows left out are the rows of the file.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from helpers.data.readers import labels, wide
from helpers.data.readers.dialects import DATE, DELIMITERS, NUMBER
from helpers.data.readers.grid import Grid, Note, ReadAs, Row
from helpers.data.readers.totals import (
    Behind,
    adds_up,
    amount,
    is_plainly_total,
    says_balance,
    says_total,
)
from helpers.settings import refusal

SUMMED, LONG_SUM = 3, 4  # rows behind a sum, and digits that it has more of
LEAST_WIDE = 3  # months in which a row of a wide table is the sum of others, whatever its name
MOST_PARTS = 200  # totals behind a row from which it may sum up
LONGEST_ID = 12  # characters; what is longer is a name or a remark
TITLES = 200  # characters of what stands above a header: it may say in what unit the amounts are
BLANKS = 3  # rows between the table and a remark under it
FOOT_ROWS = 12  # under a table; more are rows of it that went wrong
HEAD_ROWS = 200  # in which the header must begin
TYPED = 0.8  # of a column's cells are numbers or dates: then a header's cell is none
FILLED = 0.95  # of a column's cells: then a row without one is none of the table's
MOSTLY = 0.8  # of the header's names: a second header of so many is of the same table
SPARSE = 0.5  # of the table's width: rows above the header that have no more cells are titles
GROUP = "group"  # the name of a column that is made of titles
REMARK = re.compile(
    r"[:：]|\b(?:note|page|printed|prepared|exported|generated|source|remark|erstellt|stand|seite)\b"
    r"|制表|审核|打印|备注|说明|第.+页",
    re.IGNORECASE,
)


class Layout(NamedTuple):
    """Where a grid's table is.

    `header` has a name for each column, made of several header rows where there are several; it is
    empty where the file has none. Rows are counted from 0, for several may stand on one line:
    `first` is the table's first row, `end` the one behind its last (0: to the end of the file).
    """

    header: tuple[str, ...]
    header_rows: tuple[Row, ...]
    width: int
    first: int
    end: int
    left_out: frozenset[int]  # totals between, and what stands under the table
    notes: tuple[Note, ...]
    n_rows: int  # of the table
    n_in_file: int
    grouped: "Grouped | None" = None
    labels: tuple[int, ...] = ()  # columns of which a label stands in the first row of its group


class Grouped(NamedTuple):
    """A column that stands over its rows: the title of a group is the cell of all below it."""

    column: int
    titles: dict[int, str]  # by place; "" where a group ends


def laid_out(grid: Grid, read_as: ReadAs, told: str) -> Layout:
    """Find a grid's table, in two passes over its rows.

    Raises
    ------
    DataError
        If the header that was asked for is not there.
    """
    head = list(itertools.islice(grid.rows(), HEAD_ROWS))
    width = _width(head)
    titles, headers, body = _header_of(head, width, read_as, told)
    header = _joined_header(headers, width, any(n.what == "merged" for n in grid.notes))
    # a header printed once more is no cell of its columns
    heads = {tuple(_plain(row.cells)) for row in headers}
    body = [row for row in body if tuple(_plain(row.cells)) not in heads]
    columns = _columns(body, width)
    notes: list[Note] = []
    if titles:
        said = " / ".join(filter(None, map(_shown, titles)))[:TITLES]
        notes.append(Note("title", titles[0].line, len(titles), said, is_left_out=True))
    if headers and len(headers[-1].cells) != width:
        notes.append(Note("header_cells", headers[-1].line, 1, _shown(headers[-1])))
    if len(headers) > 1:
        notes.append(Note("header_rows", headers[0].line, len(headers), _shown(headers[0])))
    first = len(titles) + len(headers)
    walk = _Walk(header, headers, width, columns, body)
    for place, row in enumerate(grid.rows()):
        if place >= first:
            walk.step(place, row)
    totals = walk.totals(grid, first)
    groups, ends = walk.groups(totals)
    foot = walk.foot(totals | groups)
    layout = _told(walk, notes, titles, headers, totals, groups, foot, first)
    layout = layout._replace(labels=walk.labels.found())
    if layout.labels:
        note = Note("labels", *walk.labels.blank)
        layout = layout._replace(notes=(*layout.notes, note))
    return _with_groups(grid, layout, walk.sparse, groups, ends)


def rows_of(grid: Grid, layout: Layout) -> Iterator[Row]:
    """Give the rows of the table, as they stand: no title, header, total, blank or foot row."""
    headers = {tuple(_plain(row.cells)) for row in layout.header_rows}
    names = {name for header in headers for name in header if name}
    grouped, title = layout.grouped, ""
    held: dict[int, str] = {}
    for place, row in enumerate(grid.rows()):
        if grouped and place in grouped.titles:
            title = grouped.titles[place]
        if place < layout.first or place in layout.left_out:
            continue
        if layout.end and place >= layout.end:
            return
        if _is_blank(row):
            continue
        # the same short look as when the layout was found
        is_near = names and any(cell.strip().casefold() in names for cell in row.cells[:3])
        if is_near and tuple(_plain(row.cells)) in headers:
            continue
        if layout.labels:
            row = labels.filled(row, layout.labels, held)
        yield _filled(row, grouped.column, title) if grouped and title else row


def _filled(row: Row, column: int, title: str) -> Row:
    cells = [*row.cells, *[""] * (column + 1 - len(row.cells))]
    cells[column] = title
    return row._replace(cells=cells)


def _with_groups(
    grid: Grid, layout: Layout, sparse: Mapping[int, Row], groups: set[int], ends: set[int]
) -> Layout:
    """Make a column of the titles of groups: theirs where it is empty in every row of the table,
    else one more, where they stand in a column that holds days or numbers otherwise.
    """
    at = {place: [i for i, c in enumerate(sparse[place].cells) if c.strip()] for place in groups}
    columns = {i for filled in at.values() for i in filled}
    if len(columns) != 1:
        return layout
    (column,) = columns
    titles = {place: sparse[place].cells[column].strip() for place in groups}
    titles |= dict.fromkeys(ends, "")
    beside = [row.cells[column].strip() for row in rows_of(grid, layout) if column < len(row.cells)]
    if not any(beside):
        return layout._replace(grouped=Grouped(column, titles))
    typed = sum(map(_is_typed, beside))
    if not layout.header or typed < TYPED * len(beside):
        return layout
    name = GROUP if GROUP not in map(str.casefold, layout.header) else f"{GROUP} 2"
    header = (*layout.header, name)
    return layout._replace(header=header, grouped=Grouped(len(layout.header), titles))


class _Column(NamedTuple):
    is_typed: bool  # numbers or dates
    is_number: bool
    is_filled: bool


class _Walk:
    """One pass over the rows below the header."""

    def __init__(self, header, headers, width, columns, body):
        self.header, self.width, self.columns = header, width, columns
        self.same = _plain(headers[-1].cells) if headers else None
        self.head_rows = {tuple(_plain(row.cells)) for row in headers}
        self.names = {name for name in _plain(header) if name}
        self.filled = [i for i, column in enumerate(columns) if column.is_filled]
        self.found: dict[str, list] = {}  # what → [first line, n, example]
        self.last = self.n_rows = self.n_seen = 0
        self.other = "second_table"
        self.second = 0  # place of the header of a second table
        self.sparse: dict[int, Row] = {}  # by place: what may be a total or a remark
        self.named: dict[int, Row] = {}  # whole rows that are called a total
        self.blank: set[int] = set()
        whole = [row for row in body if row.cells and not self._lacks(row.cells)]
        self.looks = {_look(row.cells[0]) for row in whole if row.cells[0].strip()} - {""}
        self.short: dict[int, Row] = {}  # of fewer cells than the header
        self.is_wide = bool(wide.months_of(header, "2000"))
        self.labels = labels.Labels(header, body, [column.is_filled for column in columns])

    def step(self, place: int, row: Row) -> None:
        self.n_seen += 1
        cells = row.cells
        if self.second:
            self.note(self.other, row)
            return
        if _is_blank(row):
            self.note("blank" if cells else "drawn", row)
            self.blank.add(place)
            return
        # most rows have no header's name among their first cells, and need no closer look
        if self.names and any(cell.strip().casefold() in self.names for cell in cells[:3]):
            plain = _plain(cells)
            if plain == self.same or tuple(plain) in self.head_rows:
                self.note("repeated_header", row)
                return
            if self._is_other_header(plain):
                self.second = place
                of_ours = len(self.names & set(plain)) >= MOSTLY * len(self.names)
                self.other = "same_columns" if of_ours else "second_table"
                self.note(self.other, row)
                return
        self.n_rows += 1
        self.last = place
        if len(cells) != self.width:
            if len(cells) > self.width:
                self.note("more_cells", row)
            else:
                self.short[place] = row
        if self.labels.columns:
            self.labels.step(row)
        if row.has_stray_quote:
            self.note("stray_quote", row)
        if self._lacks(cells):
            self.sparse[place] = row
        elif any(map(says_total, cells[:4])):
            self.named[place] = row
        if any(map(says_balance, cells[:4])):
            self.note("balance", row)

    def note(self, what: str, row: Row) -> None:
        seen = self.found.setdefault(what, [row.line, 0, _shown(row)])
        seen[1] += 1

    def _lacks(self, cells: list[str]) -> bool:
        """Whether a row has nothing where nearly all have something."""
        n = len(cells)
        return any(i >= n or not cells[i] or cells[i].isspace() for i in self.filled)

    def _is_other_header(self, plain: list[str]) -> bool:
        """Whether a row names columns: most of its cells are headers' names, none is typed."""
        cells = [cell for cell in plain if cell]
        alike = sum(cell in self.names for cell in cells)
        typed = any(_is_typed(cell) for cell in cells)
        return len(cells) >= 2 and not typed and alike >= max(2, 0.5 * len(cells))

    def totals(self, grid: Grid, first: int) -> set[int]:
        """Find the totals: by their word where a row lacks something, else because they add up."""
        # without a number it is none: a customer may be called Total Energies
        numbered = {p: row for p, row in self.sparse.items() if self._has_numbers(row)}
        plain = {p for p, row in numbered.items() if any(map(is_plainly_total, row.cells))}
        asked = (numbered.keys() - plain) | self.named.keys()
        found = set(plain)
        if asked or plain or self.is_wide:
            found |= self._sums(grid, first, asked, plain)
        self.sparse.update({place: row for place, row in self.named.items() if place in found})
        for place, row in self.named.items():
            if place not in found and any(map(is_plainly_total, row.cells)):
                self.note("like_total", row)
        return found

    def _has_numbers(self, row: Row) -> bool:
        return any(
            column.is_number and i < len(row.cells) and amount(row.cells[i]) is not None
            for i, column in enumerate(self.columns)
        )

    def _sums(self, grid: Grid, first: int, asked: set[int], plain: set[int]) -> set[int]:
        """Find the rows that are sums of those above them, from one total or another on."""
        numbers = [i for i, column in enumerate(self.columns) if column.is_number]
        zero = Behind(dict.fromkeys(numbers, Decimal()), Counter())
        all_, begun = zero, [zero]  # what is behind a row, and was where a part begins
        found: set[int] = set()
        late: dict[int, tuple[Row, dict[int, Decimal]]] = {}  # named, and no sum of what is above
        for place, row in enumerate(grid.rows()):
            if place < first or _is_blank(row):
                continue
            values = {
                i: value
                for i in numbers
                if i < len(row.cells) and (value := amount(row.cells[i])) is not None
            }
            large = {i: value for i, value in values.items() if value}
            if place in plain:
                if large and not any(adds_up(large, all_, part, any) for part in begun):
                    self.note("total_differs", row)
                begun = [*begun[-MOST_PARTS:], all_]
                continue
            is_named = place in self.named or any(map(says_total, row.cells[:4]))
            is_asked = place in asked or (self.is_wide and len(large) >= LEAST_WIDE)
            if is_asked and self._is_sum(large, all_, begun, is_named, row):
                found.add(place)
                self.sparse.setdefault(place, row)
                begun = [*begun[-MOST_PARTS:], all_]
                continue
            if is_asked and is_named and large:
                late[place] = (row, large)
            all_ = Behind(
                {i: total + values.get(i, 0) for i, total in all_.sums.items()},
                all_.n + Counter(dict.fromkeys(large, 1)),
            )
        # a total may stand above what it sums up
        for place, (row, large) in late.items():
            if all(all_.sums[i] == 2 * value and all_.n[i] > 2 for i, value in large.items()):
                found.add(place)
                self.sparse.setdefault(place, row)
        return found

    def _is_sum(
        self, large: dict[int, Decimal], all_: Behind, begun: list, is_named: bool, row: Row
    ) -> bool:
        if not large:
            return False
        if is_named:
            # what is called a total need not prove so much
            how = any if any(map(is_plainly_total, row.cells[:4])) else all
            return any(adds_up(large, all_, part, how, least=1) for part in begun)
        # 3 = 1 + 2 proves nothing: a sum has several rows behind it, and is long
        if len(large) < 2 and not any(len(str(value)) > LONG_SUM for value in large.values()):
            return False
        return any(adds_up(large, all_, part, all, least=SUMMED) for part in begun)

    def groups(self, totals: set[int]) -> tuple[set[int], set[int]]:
        """Find the titles of groups, one text in a row, and the totals below that name them."""
        named: dict[str, list[int]] = {}
        for place, row in self.sparse.items():
            filled = [cell.strip() for cell in row.cells if cell.strip()]
            if place not in totals and len(filled) == 1 and not _is_typed(filled[0]):
                named.setdefault(filled[0].casefold(), []).append(place)
        found: set[int] = set()
        ends: set[int] = set()
        for place in totals if named else ():
            total = next(filter(says_total, self.sparse[place].cells), "").strip().casefold()
            for name, places in named.items():
                # without the group's name it is still what a total is called
                above = [one for one in places if one < place]
                if above and name in total and says_total(total.replace(name, "").strip()):
                    found.update(above)
                    ends.add(place)
        return found, ends

    def foot(self, totals: set[int]) -> set[int]:
        """Find what stands under the table: remarks at its end, with blank rows between."""
        found: set[int] = set()
        end = self.last
        for place, row in sorted(self.sparse.items(), reverse=True):
            between = set(range(place + 1, end + 1))
            if not between <= self.blank or len(between) > BLANKS:
                break
            is_apart = place - 1 in self.blank
            if place not in totals:
                # a row whose cells another delimiter parts is no remark
                is_parted = any(c.count(mark) > 1 for c in row.cells for mark in DELIMITERS[:-1])
                if is_parted or not self._is_remark(row, is_apart):
                    break
                found.add(place)
            end = place - 1
        return found if len(found) <= FOOT_ROWS else set()

    def _is_remark(self, row: Row, is_apart: bool) -> bool:
        """Whether a row says something at its beginning and has nothing of what all others have.

        A name alone may be a dealer of whom nothing else is known: a remark stands apart, is one
        cell only, or says what it is.
        """
        cells = [cell.strip() for cell in row.cells]
        filled = [cell for cell in cells if cell]
        missing = sum(
            column.is_filled and (i >= len(cells) or not cells[i])
            for i, column in enumerate(self.columns)
        )
        return (
            bool(cells and cells[0])
            and len(filled) <= max(1, 0.3 * self.width)
            and missing >= 2
            and not any(map(_is_typed, filled))
            and _look(cells[0]) not in self.looks
            and (is_apart or len(row.cells) == 1 or bool(REMARK.search(cells[0])))
        )


def _look(cell: str) -> str:
    """How a cell is written: D101 and D102 look alike, and no remark does."""
    shape = re.sub(r"\d+", "9", re.sub(r"[A-Za-z]+", "a", cell.strip()))
    return shape if len(shape) <= LONGEST_ID else ""


def _told(walk, notes, titles, headers, totals, groups, foot, first) -> Layout:
    for what, places in (("total", totals), ("group", groups), ("foot", foot)):
        if places:
            _note(notes, what, [walk.sparse[place] for place in sorted(places)])
    gone = totals | groups | foot
    for place, row in walk.short.items():
        if place not in gone:
            walk.note("fewer_cells", row)
    for what, (line, n, example) in walk.found.items():
        left_out = what in ("blank", "drawn", "repeated_header", "second_table", "same_columns")
        notes.append(Note(what, line, n, example, left_out))
    return Layout(
        header=walk.header,
        header_rows=tuple(headers),
        width=walk.width,
        first=first,
        end=walk.second,
        left_out=frozenset(gone),
        notes=tuple(notes),
        n_rows=walk.n_rows - len(gone),
        n_in_file=walk.n_seen + len(titles) + len(headers),
    )


def _note(notes: list[Note], what: str, rows: list[Row]) -> None:
    notes.append(Note(what, rows[0].line, len(rows), _shown(rows[0]), is_left_out=True))


def _shown(row: Row) -> str:
    return ", ".join(cell for cell in row.cells if cell)[:80]


def _width(head: list[Row]) -> int:
    """Tell how many cells the table's rows have: as most rows do."""
    widths = Counter(len(row.cells) for row in head if not _is_blank(row))
    wide = Counter({n: count for n, count in widths.items() if n > 1})
    if not widths:
        return 0
    return max(wide, key=wide.get) if wide else 1


def _header_of(
    head: list[Row], width: int, read_as: ReadAs, told: str
) -> tuple[list[Row], list[Row], list[Row]]:
    """Part the first rows into titles, header rows and the table's."""
    if read_as.header:
        at = next((i for i, row in enumerate(head) if row.line >= read_as.header), None)
        if at is None or head[at].line != read_as.header or _is_blank(head[at]):
            raise refusal("no_header_there", told=told, line=read_as.header)
        return head[:at], [head[at]], head[at + 1 :]
    start = 0
    while start < len(head) and _is_title(head, start, width):
        start += 1
    if start == len(head):
        start = 0
    rows = head[start:]
    n = 0
    while n < min(4, len(rows)) and not _is_blank(rows[n]) and _names_columns(rows, n, width):
        n += 1
    if n > 1 and not _is_several(rows, n, width):
        n = 1
    return head[:start], rows[:n], rows[n:]


def _is_title(head: list[Row], at: int, width: int) -> bool:
    """Whether a row above the table is none of it: blank, a remark, or with few cells."""
    row = head[at]
    if _is_blank(row):
        return True
    cells = [cell for cell in row.cells if cell.strip()]
    if row.cells[0].lstrip("\ufeff").startswith("#") and len(head) > at + 1:
        return not "".join(head[at + 1].cells[:1]).startswith("#") or _is_title(head, at + 1, width)
    if width < 2 or (len(head) > at + 1 and wide.has_years_over(row.cells, head[at + 1].cells)):
        return False
    below = [r for r in head[at + 1 :] if not _is_blank(r)]
    full = sum(len([c for c in r.cells if c.strip()]) > SPARSE * width for r in below[:20])
    return len(cells) <= SPARSE * width and len(cells) < width - 1 and full > 0


def _names_columns(rows: list[Row], at: int, width: int) -> bool:
    """Whether a row names the columns of those below it.

    It does unless its cells are what the column's are: numbers under numbers, days under days.
    """
    row = rows[at]
    same = _plain(row.cells)  # printed on each page, it says nothing of the columns
    below = [
        r
        for r in rows[at + 1 :]
        if not _is_blank(r) and len(r.cells) == width and _plain(r.cells) != same
    ][:100]
    cells = row.cells[:width]
    if not below:
        return not any(map(_is_typed, cells)) and at == 0
    if at == 0 and wide.months_of(tuple(cells)):  # 202610 is a number, and a month
        return True
    for above in range(max(at - 1, 0), min(at + 1, len(rows) - 1)):
        if wide.has_years_over(rows[above].cells, rows[above + 1].cells):
            return True
    against = votes = 0
    for i, cell in enumerate(cells):
        column = [r.cells[i].strip() for r in below if r.cells[i].strip()]
        if not column:
            continue
        kinds = Counter(map(_kind, column))
        kind, n = kinds.most_common(1)[0]
        if kind == "text" or n < TYPED * len(column):
            continue
        if cell.strip() and _kind(cell.strip()) != kind:
            votes += 1
        elif cell.strip():
            against += 1
    if votes or against:
        return votes > against
    # all is text: the first row names the columns unless it says what others say, too
    if at:
        return False
    seen = {(i, r.cells[i].strip()) for r in below for i in range(width) if r.cells[i].strip()}
    return not any((i, cell.strip()) in seen for i, cell in enumerate(cells) if cell.strip())


def _is_several(rows: list[Row], n: int, width: int) -> bool:
    """Whether the first rows are one header of several rows.

    Not where all columns are text: the second row is the first of the table then.
    """
    below = [r for r in rows[n:] if not _is_blank(r)][:100]
    return bool(below) and any(
        _kind(cell.strip()) != "text" for r in below[:20] for cell in r.cells if cell.strip()
    )


def _joined_header(headers: list[Row], width: int, is_merged: bool) -> tuple[str, ...]:
    """Give each column a name: the cells above it, a group's name carried to the right."""
    if not headers:
        return ()
    parts = []
    for row in headers:
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        if row is not headers[-1]:  # the name of a group stands over its first column
            carried = ""
            for i, cell in enumerate(cells):
                carried = cell.strip() or carried
                cells[i] = cell if cell.strip() else carried
        parts.append(cells)
    if len(headers) == 1:
        more = headers[0].cells[width:]
        return (*parts[0], *(more if any(cell.strip() for cell in more) else ()))
    joined = []
    for column in zip(*parts, strict=True):
        names = [cell.strip() for cell in column if cell.strip()]
        # a name merged over both rows of a sheet stands in each of them
        joined.append(" ".join(dict.fromkeys(names) if is_merged else names))
    return tuple(joined)


def _columns(body: list[Row], width: int) -> list[_Column]:
    counts = [sum(bool(cell.strip()) for cell in row.cells) for row in body]
    usual = Counter(n for n in counts if n).most_common(1)
    # what has less than most is a subtotal or a remark, not what its columns are told by
    least = usual[0][0] if usual else 0
    rows = [row for row, n in zip(body, counts, strict=True) if n and n >= least]
    found = []
    for i in range(width):
        cells = [row.cells[i].strip() if i < len(row.cells) else "" for row in rows]
        filled = [cell for cell in cells if cell]
        kinds = Counter(map(_kind, filled))
        kind, n = kinds.most_common(1)[0] if kinds else ("text", 0)
        is_typed = kind != "text" and n >= TYPED * len(filled)
        found.append(
            _Column(
                is_typed,
                is_typed and kind == "number",
                bool(cells) and len(filled) >= FILLED * len(cells) - 1,
            )
        )
    return found


def _plain(cells) -> list[str]:
    found = [re.sub(r"\s+", " ", cell).strip().casefold() for cell in cells]
    while found and not found[-1]:
        found.pop()
    return found


def _is_blank(row: Row) -> bool:
    return not any(cell and not cell.isspace() for cell in row.cells)


def _kind(cell: str) -> str:
    if NUMBER.fullmatch(cell):
        return "number"
    if DATE.fullmatch(cell):
        return "date"
    return "text"


def _is_typed(cell: str) -> bool:
    return bool(cell.strip()) and _kind(cell.strip()) != "text"
