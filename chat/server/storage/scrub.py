"""Overwriting what was deleted where nothing refers to it any more: in the write-ahead log, and in the gaps of pages.

SQLite overwrites a deleted row, and a page that is freed, with zeros (``PRAGMA secure_delete``). Two kinds of copies
escape that:

* The write-ahead log holds older versions of pages until it is emptied.
* When a page is full, its rows are spread over its neighbours, and copies of those that moved stay in the gap
  between its cell pointers and its cells until the gap is used (``rebuildPage`` in SQLite's btree.c). When such a row
  is deleted where it is now, the copy stays.

So `step` empties the log and then writes zeros into the gaps of some pages, straight into the file. The rules that
make this safe (sqlite.org/fileformat2.html, sections 1.6 and 4):

* It holds the write lock, and the log is empty: all that is committed is in the file, and nobody writes to it.
* A gap is never read: whoever reads the page at the same moment does not notice, and a power cut in the middle
  leaves a page that is as good as before.
* It commits a change of its own afterwards, so that other connections forget the pages that they keep in memory. Else
  one of them could write a gap back.
* The descriptor stays open until every connection of the process is closed: closing it would give up SQLite's locks
  on the file (fcntl(2)).
"""

from __future__ import annotations

import os
import sqlite3
from struct import unpack_from
from typing import Final

from chat.server.storage.database_errors import is_busy
from chat.server.storage.transaction import Transaction

PAGES_AT_ONCE: Final = 2_000
"""Pages that one step goes through: some milliseconds, in which nobody else writes."""

_PATIENCE: Final = 0.02
"""Seconds to wait for readers and the writer: nobody writes while it waits for readers. The next step tries again."""

_TREE_PAGES: Final = {2: 12, 5: 12, 10: 8, 13: 8}
"""The types of pages that have a gap, and the bytes of their headers."""

_MOST_PAGES: Final = 2 << 24
"""A file of so many pages (128 GiB) is left alone: an overflow page that begins with so large a number would look like
a page of a tree."""

_FILE_HEADER: Final = 100


def mark(transaction: Transaction) -> None:
    """Note that something was deleted."""
    transaction.execute(
        "INSERT INTO scrub (id, page, again) VALUES (1, 0, 0) ON CONFLICT DO UPDATE SET again = 1 WHERE again = 0"
    )


class Scrub:
    """One file's passes, step by step.

    :param connection: in autocommit mode, of nobody else.
    :param file: a descriptor of the database file, open for reading and writing.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, file: int) -> None:
        self._connection = connection
        self._path = path
        self._log = f"{os.path.realpath(path)}-wal"
        self._file = file
        self._position = 0
        """Pages of this pass whose gaps are known to be empty on the disk."""
        connection.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1_000)}")

    def step(self, most: int = PAGES_AT_ONCE) -> bool:
        """Take one step.

        :param most: pages that it goes through.
        :returns: whether there is more to do.
        :raises sqlite3.Error, OSError: when the disk fails; nothing is lost, and the next step does it again.
        """
        if not os.path.samestat(os.fstat(self._file), os.stat(self._path)):
            raise OSError(f"{self._path} was replaced by another file")
        if self._connection.execute("SELECT 1 FROM scrub").fetchone() is None:
            return False
        try:
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                return True
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return True
            raise
        try:
            return self._locked(most)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _locked(self, most: int) -> bool:
        """Go through some pages under the write lock.

        They count as done when the next step begins: syncing takes no lock.
        """
        if os.path.exists(self._log) and os.path.getsize(self._log):
            return True  # the writer was faster
        page, again = self._connection.execute("SELECT page, again FROM scrub").fetchone()
        begin = max(page, self._position)
        end, written = self._clean(begin, most)
        if end > begin:
            # A pass that begins now covers all that was deleted so far.
            self._connection.execute("UPDATE scrub SET page = ?, again = ?", (begin, again if begin else 0))
        elif again:
            self._connection.execute("UPDATE scrub SET page = 0, again = 0")
        else:
            self._connection.execute("DELETE FROM scrub")
        self._connection.execute("COMMIT")
        if written:
            os.fsync(self._file)
        self._position = end if end > begin else 0
        return end > begin or bool(again)

    def _clean(self, begin: int, most: int) -> tuple[int, bool]:
        """Write zeros into the gaps of pages, after so many.

        :returns: after how many the next step begins, or ``begin`` when there are no more; and whether it wrote any.
        """
        header = os.pread(self._file, _FILE_HEADER, 0)
        size = unpack_from(">H", header, 16)[0]
        size = 65_536 if size == 1 else size
        usable = size - header[20]
        count = os.fstat(self._file).st_size // size
        if (
            count >= _MOST_PAGES or unpack_from(">I", header, 52)[0]
        ):  # a file with auto_vacuum has pages of another kind
            return begin, False
        end = max(begin, min(count, begin + most))
        written = False
        pages = os.pread(self._file, (end - begin) * size, begin * size)
        for number in range(begin, end):
            start, stop = _gap(pages, (number - begin) * size, 0 if number else _FILE_HEADER, usable)
            if pages.count(0, start, stop) < stop - start:
                os.pwrite(self._file, bytes(stop - start), begin * size + start)
                written = True
        return end, written


def _gap(pages: bytes, page: int, header: int, usable: int) -> tuple[int, int]:
    """Where the gap of a page begins and ends, the same twice where it has none (section 1.6 of the file format).

    :param pages: several pages, of which this one begins at ``page``.
    :param header: where in the page the header of the tree is: behind that of the file in the first one.
    :param usable: the bytes of a page that SQLite uses.
    """
    length = _TREE_PAGES.get(pages[page + header])
    if length is None:
        return page, page
    cells, content = unpack_from(">HH", pages, page + header + 3)
    start, stop = header + length + 2 * cells, content or 65_536
    return (page + start, page + stop) if start <= stop <= usable else (page, page)
