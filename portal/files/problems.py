"""What can be wrong with a file or a cell, as codes, and the sentence for each.

A problem travels as code and parameters (out of the sandbox, into the database, into JSON) and
becomes a sentence in the reader's language when it is shown. Every sentence says what is wrong
and how to mend it (ux.md, rules 6 and 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from portal.kernel.phrases import Phrase, phrase

Param = str | int

_MESSAGES: dict[str, Phrase] = {
    # any file
    "empty": phrase("The file is empty (0 bytes). Export or save it again, then upload it."),
    "too_large": phrase("The file is larger than %(most)s MB. Split it, then upload the parts."),
    "type_not_allowed": phrase(
        "This is no file of an accepted type (found: %(found)s). Accepted here: %(accepted)s."
    ),
    "kind_not_wanted": phrase("A %(found)s file is not wanted here. Accepted here: %(accepted)s."),
    "name_mismatch": phrase(
        "The name ends in .%(named)s but the content is %(found)s. Rename the file to end in "
        ".%(right)s, or choose the file that you meant."
    ),
    "too_complex": phrase(
        "The file could not be checked: reading it takes too much time or memory. Save it again "
        "in a simpler form or in parts, then upload it."
    ),
    "two_in_one": phrase(
        "This %(found)s file holds something else as well, such as an archive or a web page. Save "
        "it again from the program that made it, then upload that."
    ),
    "virus_found": phrase(
        "The virus scanner refuses this file (%(name)s). Clean your computer, export the file "
        "again, then replace it."
    ),
    "unreadable": phrase(
        "The file is damaged: it cannot be read. Open it on your computer; if that works, save it "
        "under a new name and upload that."
    ),
    # recordings
    "no_audio": phrase("The file holds no sound. Export the recording again, then upload it."),
    "no_sound_data": phrase(
        "The recording has a length of zero. Export it again from the recording system."
    ),
    "audio_truncated": phrase(
        "The recording breaks off: it should last %(declared)s s, but only %(found)s s are there. "
        "Copy or export it again, then upload it."
    ),
    "audio_damaged": phrase(
        "Parts of the recording are damaged (%(share)s per cent cannot be played). Export it "
        "again, then upload it."
    ),
    "audio_too_long": phrase("The recording runs longer than %(hours)s hours. Split it."),
    # recordings that can be used, but are to be looked at
    "length_differs": phrase(
        "The recording lasts %(found)s s, but the call list says %(listed)s s. Check that it is "
        "the whole recording of this call."
    ),
    "mostly_silent": phrase(
        "%(share)s per cent of the recording is silent. Check that both sides were recorded."
    ),
    "clipped": phrase(
        "%(share)s per cent of the recording is overdriven. Check the level of the recorder."
    ),
    "same_bytes": phrase(
        "The very same file was delivered for case %(case)s (%(number)s) too. One recording proves "
        "one call only."
    ),
    "same_sound": phrase(
        "The same sound was delivered for case %(case)s (%(number)s) too, in another file. One "
        "recording proves one call only."
    ),
    # documents and images
    "pdf_damaged": phrase(
        "The PDF is damaged or incomplete. Open it, print or save it as a new PDF, upload that."
    ),
    "pdf_encrypted": phrase(
        "The PDF is protected by a password. Save a copy without protection and upload that."
    ),
    "image_damaged": phrase(
        "The image is damaged or incomplete. Open it, save it as a new file, upload that."
    ),
    "image_too_large": phrase(
        "The image has more than %(most)s megapixels. Make it smaller, then upload it."
    ),
    # workbooks
    "not_xlsx": phrase(
        "This is not an Excel workbook (.xlsx). Open it in Excel or WPS, choose “Save as”, type "
        "“Excel workbook (.xlsx)”, and upload that."
    ),
    "old_xls": phrase(
        "This is an Excel 97–2003 workbook (.xls). Open it, choose “Save as”, type “Excel "
        "workbook (.xlsx)”, and upload that."
    ),
    "csv_renamed": phrase(
        "This is a text or CSV file, not a workbook (.xlsx). Open it in Excel, choose “Save as”, "
        "type “Excel workbook (.xlsx)”, and upload that."
    ),
    "workbook_encrypted": phrase(
        "The workbook is protected by a password. Remove it (File, Info, Protect workbook), save "
        "and upload again."
    ),
    "workbook_macros": phrase(
        "The workbook holds macros. Choose “Save as”, type “Excel workbook (.xlsx)”, and upload "
        "that."
    ),
    "workbook_bomb": phrase(
        "Unpacked, the workbook is far larger than a table needs to be. Copy the table into a new "
        "workbook and upload that."
    ),
    "workbook_odd": phrase(
        "The workbook is built in a way that no spreadsheet program writes. Copy the table into a "
        "new workbook, save it and upload that."
    ),
    # tables
    "no_sheet": phrase("The workbook has no visible sheet with a table in it."),
    "no_header": phrase(
        "No row of column titles was found in the first %(rows)s rows. Use the template; the "
        "titles are: %(titles)s."
    ),
    "missing_columns": phrase(
        "Columns are missing: %(titles)s. Add them, or copy the data into the template."
    ),
    "duplicate_column": phrase(
        "The column “%(title)s” is there more than once (columns %(letters)s). Delete the one "
        "that is not needed."
    ),
    "unknown_column": phrase(
        "Column %(letter)s, “%(title)s”, is not part of the table. Delete it, or correct its title."
    ),
    "renamed_column": phrase(
        "Column %(letter)s is titled “%(title)s”. If it is “%(meant)s”, correct the title; if "
        "not, delete the column."
    ),
    "merged_cells": phrase(
        "There are merged cells in the table: %(ranges)s. Choose “Unmerge cells” and fill each "
        "cell."
    ),
    "too_many_rows": phrase("The table has more than %(most)s rows. Split it into several files."),
    "no_rows": phrase("There are no rows below the column titles. Fill in the table."),
    # cells
    "required": phrase("This cell is empty. Fill it in."),
    "formula_error": phrase("The formula gives %(error)s. Mend it, or type the value itself."),
    "text_too_long": phrase("The text is longer than %(most)s characters. Shorten it."),
    "text_control": phrase(
        "The text holds invisible control characters. Type it again, or paste it as plain text."
    ),
    "number_too_long": phrase(
        "Excel keeps only 15 digits of a number. Format the column as text and paste again."
    ),
    "date_in_text": phrase(
        "Excel turned this into a date. Format the column as text and type it again."
    ),
    "not_text": phrase("This is not text. Format the column as text and type it again."),
    "not_integer": phrase("This is not a whole number. Type digits only."),
    "not_money": phrase("This is not an amount. Type a number like %(example)s."),
    "money_decimals": phrase(
        "The amount has more than two decimals. Round it to cents (formula ROUND)."
    ),
    "too_small": phrase("The value must be at least %(least)s."),
    "too_big": phrase("The value must be at most %(most)s."),
    "not_date": phrase("This is not a date. Write it like %(example)s."),
    "date_unclear": phrase(
        "It is not clear which part is the year, the month or the day. Write it like %(example)s."
    ),
    "not_choice": phrase("This is not one of the values allowed here: %(choices)s."),
    "card_is_number": phrase(
        "Excel turned the card number into a number. Format the column as text and paste again."
    ),
    "not_card": phrase(
        "A card or account number has %(least)s to %(most)s digits and nothing else."
    ),
    "not_phone": phrase(
        "This is not a telephone number of mainland China. Write a mobile number of 11 digits, or "
        "a landline with its area code."
    ),
    "not_percent": phrase("This is not a percentage. Write it like %(example)s."),
    "percent_unclear": phrase(
        "It is not clear whether this is per cent. Write it with the sign, like %(example)s."
    ),
    "not_duration": phrase("This is not a length of time. Write it like %(example)s."),
    "unknown_case": phrase(
        "The vendor holds no case of this number. Correct it, or delete the row."
    ),
    "phone_of_no_case": phrase(
        "No case of the vendor has this number. Fill in the case number, or delete the row."
    ),
    "phone_of_several": phrase(
        "Several cases of the vendor have this number. Fill in the case number."
    ),
    "too_many_of_case": phrase(
        "The list has more than %(most)s new calls of this case. Check the column of case numbers."
    ),
    "in_future": phrase("This time has not come yet. Correct it."),
    "call_differs": phrase(
        "This call is recorded already with another length or result. Correct the row, or write "
        "to the audit department."
    ),
    "duplicate_value": phrase(
        "The same value stands in row %(row)s already. Delete one of the rows, or correct it."
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file: a code of `messages()` and its parameters."""

    code: str
    params: dict[str, Param] = field(default_factory=dict, hash=False)

    @property
    def message(self) -> Phrase:
        """The sentence; `str()` gives it in the reader's language."""
        return describe(self.code, self.params)


@dataclass(frozen=True, slots=True)
class CellError:
    """Something wrong with one cell, named as the person sees it in Excel.

    `row` counts from 1; `letter` is the column's (A, B … AA); `title` the column's heading as it
    stands in the file; `shown` what the cell holds, empty for personal data.
    """

    row: int
    letter: str
    title: str
    code: str
    params: dict[str, Param] = field(default_factory=dict, hash=False)
    shown: str = ""

    @property
    def cell(self) -> str:
        """The cell's address, such as C12."""
        return f"{self.letter}{self.row}"

    @property
    def message(self) -> Phrase:
        """The sentence; `str()` gives it in the reader's language."""
        return describe(self.code, self.params)


class Refused(Exception):
    """A file that cannot be taken, raised inside the checks; carries its `Problem`."""

    def __init__(self, code: str, **params: Param) -> None:
        super().__init__(code)
        self.problem = Problem(code, params)


def messages() -> Mapping[str, Phrase]:
    """Every code and its sentence."""
    return MappingProxyType(_MESSAGES)


def describe(code: str, params: Mapping[str, Param]) -> Phrase:
    """The sentence for a code with its parameters filled in. Raises `KeyError` if unknown."""
    return _MESSAGES[code].filled(params)
