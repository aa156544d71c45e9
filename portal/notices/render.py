"""From a paper's frozen content to its PDF: PDF/A-3a and PDF/UA-1, the content attached as JSON.

`render` depends on nothing but its arguments and the files of the installation: same content,
same bytes. Fonts and style sheet are read once a process and kept (a font configuration for each
document leaks); layout is one at a time, because Pango's font map is not thread-safe.
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import CSS, Attachment
from weasyprint.css import ColorProfile
from weasyprint.document import Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError

from portal.kernel.phrases import is_one, phrase
from portal.notices import formats, sheets
from portal.notices.assets import PRINT, QR_CODE, SCHEME, Assets, seal_name
from portal.notices.drawn import QrCode, seal_picture
from portal.notices.fonts import LANGUAGES, Coverage, load_coverage, style_sheet
from portal.notices.layout import Markup, Paper
from portal.notices.schema import Card, Leaf, Text, aware, mapped
from portal.notices.signing.fields import ISSUER, RECEIPTS, add_fields
from portal.notices.snapshots import KINDS, TooLarge, validate
from portal.notices.styles import Wardrobe
from portal.notices.typeset import Typesetter
from portal.notices.writing import settle

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
VARIANT = "pdf/a-3a"
COLOURS = "srgb-print"
SOURCE_LOCALE = "en"
# Bounds time and memory, with the rows that a paper prints: at worst some 120 pages, 15 s of
# processor time and 180 MB on the reference machine; a usual notice takes 0.1 to 0.4 s.
MOST_TEXT = 200_000

COLLECTED_EVERY = 4
"""Papers between two runs of the garbage collector: its usual runs, every 700 objects, cost a tenth
of a paper, and rare ones let a worker grow."""
_UNREACHED = 2_000_000

ISSUER_LABEL = phrase("Electronic signature of the issuer")
RECEIPT_LABEL = phrase("Electronic seal of an acknowledgement of receipt")

_layout = threading.Lock()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished PDF, its number of pages and the SHA-256 of its bytes (hexadecimal)."""

    pdf: bytes
    pages: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Edition:
    """What is decided after the content was frozen: whose certificate signs, which seal is drawn.

    `seal` is a picture, SVG or PNG, whose use was granted; `signed_by` the certificate's name;
    `cards` the whole card numbers by case number that the pages print, where the content says so
    (A6): what is attached to the PDF stays masked.
    """

    signed_by: str = ""
    seal: bytes = b""
    cards: Mapping[str, str] = field(default_factory=dict)


PLAIN = Edition()


class CatalogueMissing(RuntimeError):
    """The language's message catalogue is not compiled; `bin/i18n` compiles it."""


class AssetDenied(RuntimeError):
    """The layout asked for something that is no asset of a paper."""


def render(
    template: str, content: Mapping[str, Any], locale: str, edition: Edition = PLAIN
) -> Rendered:
    """Make the PDF of a paper from its frozen content, with empty fields for its signatures.

    `template` is a key of `snapshots.KINDS`, `locale` one of zh_Hans_CN, zh_Hant_TW, en. Raises
    `InvalidSnapshot` or `TooLarge` for content that `validate` refuses or that is too long
    altogether, `FontsMissing` and `CatalogueMissing` on an installation that was not built.
    """
    validate(template, content)
    with _layout:
        press = _press()
    shown = masked(template, content)
    typesetter = Typesetter(press.coverage)
    html, attached = _page(template, shown, locale, typesetter, edition)
    with _layout:
        made = press.print(html, shown, attached, edition, _labels(locale))
        press.tidy()
        return made


def _labels(locale: str) -> dict[str, str]:
    """What a reader's program calls the signature fields."""
    translate = _translations(locale).gettext
    receipt = translate(RECEIPT_LABEL.msgid)
    return {ISSUER: translate(ISSUER_LABEL.msgid), **dict.fromkeys(RECEIPTS, receipt)}


def masked(template: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as it goes along with the paper: card numbers 前6后4, always (A6)."""

    def hide(leaf: Leaf, value: str) -> str:
        return mask_card(value) if isinstance(leaf, Card) else value

    shown: dict[str, Any] = mapped(KINDS[template], content, hide)
    return shown


def mask_card(number: str) -> str:
    """First six and last four digits, at least four hidden; a masked number stays as it is."""
    plain = number.replace(" ", "").replace("-", "")
    if "*" in plain or len(plain) <= 4:
        return plain
    first = max(0, min(6, len(plain) - 8))
    return plain[:first] + "*" * (len(plain) - first - 4) + plain[-4:]


def _with_cards(printed: Mapping[str, Any], cards: Mapping[str, str]) -> dict[str, Any]:
    """The content as the pages print it: whole card numbers in the rows of cases that have one."""
    return {
        key: [
            {**row, "card": cards[row["case_number"]]}
            if isinstance(row, Mapping) and "card" in row and row.get("case_number") in cards
            else row
            for row in value
        ]
        if isinstance(value, list)
        else value
        for key, value in printed.items()
    }


def _page(
    template: str, shown: dict[str, Any], locale: str, typesetter: Typesetter, edition: Edition
) -> tuple[str, dict[str, sheets.Sheet]]:
    """The paper as HTML, and its attached sheets."""
    kind = KINDS[template]

    def set_text(leaf: Leaf, value: str) -> str:
        return typesetter.set(value) if isinstance(leaf, Text | Card) else value

    environment = _environment(locale)
    printed, attached = sheets.split(kind, shown, shown["number"], _translations(locale).gettext)
    if edition.cards and shown.get("card_display") == "full":
        printed = _with_cards(printed, edition.cards)
    text = mapped(kind, printed, set_text)
    if typesetter.weight > MOST_TEXT:
        raise TooLarge("content", typesetter.weight, MOST_TEXT)
    # After the texts, so that `missing` is complete when the note about it is printed.
    html = environment.get_template(f"notices/{template}.html").render(
        paper=text,
        whole=shown,
        sheets=attached,
        missing=[f"U+{ord(character):04X}" for character in typesetter.missing],
        language=LANGUAGES[locale],
        signed_by=typesetter.set(edition.signed_by),
        seal=seal_name(edition.seal) if edition.seal else "",
        code=shown["verify_url"].rstrip("/").rsplit("/", 1)[-1],
    )
    return html, attached


class _Press:
    """What is loaded once a process: fonts, style sheet, coverage."""

    def __init__(self) -> None:
        self._printed = 0
        self.coverage: Coverage = load_coverage()
        self._fonts = FontConfiguration()
        self._colours = (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()
        rules = (PRINT / "notice.css").read_text(encoding="utf-8")
        rules = f"{style_sheet(SCHEME)}\n{rules}"
        sheet = CSS(string=rules, font_config=self._fonts, url_fetcher=Assets())
        self.wardrobe = Wardrobe(sheet, rules, self._fonts)

    def print(
        self,
        html: str,
        shown: Mapping[str, Any],
        attached: Mapping[str, sheets.Sheet],
        edition: Edition,
        labels: Mapping[str, str],
    ) -> Rendered:
        """Lay out and write the PDF, every date in it the moment of issue."""
        issued = aware(shown["issued_at"]).astimezone(UTC).replace(microsecond=0)
        images = _pictures(shown["verify_url"], edition.seal)
        try:
            document = Paper.lay_out(
                Markup(html, Assets(), self.wardrobe),
                images,
                pdf_variant=VARIANT,
                color_profiles={COLOURS: self._profile()},
                output_intent=COLOURS,
            )
        except FatalURLFetchingError as error:
            raise AssetDenied(str(error)) from None
        _describe(document, issued.isoformat())
        parts = [(f"{shown['number']}.json", _data(shown), "Data")]
        parts += [(sheet.name, sheet.data, "Supplement") for sheet in attached.values()]
        pdf = document.write_pdf(
            finisher=partial(_finish, labels=labels),
            pdf_variant=VARIANT,
            output_intent=COLOURS,
            attachments=[
                Attachment(
                    string=data,
                    name=name,
                    description=name,
                    relationship=relationship,
                    created=issued,
                    modified=issued,
                )
                for name, data, relationship in parts
            ],
        )
        return Rendered(pdf, len(document.pages), hashlib.sha256(pdf).hexdigest())

    def tidy(self) -> None:
        """Collect the garbage of the last papers now and then; they are full of cycles."""
        self._printed += 1
        if self._printed % COLLECTED_EVERY == 0:
            gc.collect()
        if self._printed == COLLECTED_EVERY:
            gc.freeze()

    def _profile(self) -> ColorProfile:
        """The colours' profile, new for each document, which numbers it. (WeasyPrint's own sRGB
        leaves the file open.)"""
        return ColorProfile(
            io.BytesIO(self._colours), "sRGB2014.icc", "relative-colorimetric", "rgb"
        )


def _pictures(address: str, seal: bytes) -> dict[str, Any]:
    """A paper's own pictures, read already."""
    images: dict[str, Any] = {f"{SCHEME}{QR_CODE}": QrCode(address)}
    if seal:
        images[f"{SCHEME}{seal_name(seal)}"] = seal_picture(seal)
    return images


def _finish(document: Document, pdf: Any, labels: Mapping[str, str]) -> None:
    """Add the signature fields, then make every object's bytes."""
    add_fields(document, pdf, labels)
    settle(pdf)


@cache
def _press() -> _Press:
    """The process's press. Layout makes and drops a hundred thousand objects a paper: the
    collector looks at them every few papers, and never again at what was loaded for good."""
    made = _Press()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_UNREACHED)
    return made


def _data(shown: Mapping[str, Any]) -> bytes:
    """The content as the paper shows it. Keys sorted: the database keeps no order of them."""
    present = _without_gaps(shown)
    return json.dumps(present, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _without_gaps(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_gaps(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_gaps(item) for item in value]
    return value


def _describe(document: Document, moment: str) -> None:
    """Fix the dates, and declare PDF/UA-1 beside PDF/A-3a in the metadata."""
    metadata = document.metadata
    metadata.created = metadata.modified = moment
    metadata.generate_rdf_metadata = partial(_declared, metadata.generate_rdf_metadata)


def _declared(generate: Any, *arguments: Any) -> bytes:
    """The RDF of the document with the PDF/UA identification and its extension schema."""
    described: bytes = generate(*arguments)
    body, closing, rest = described.rpartition(b"</rdf:RDF>")
    return body + _UA_SCHEMA + closing + rest


@cache
def _translations(locale: str) -> NullTranslations:
    """The language's catalogue; English is the language of the message ids."""
    if locale == SOURCE_LOCALE:
        return NullTranslations()
    found = Translations.load(TRANSLATIONS, [locale])
    if not isinstance(found, Translations):
        raise CatalogueMissing(f"no compiled catalogue of {locale}: run bin/i18n")
    return found


@cache
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = _translations(locale)
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext,
        # Numbers come as they are written: Babel's own wants whole ones.
        lambda one, many, number: catalogue.ngettext(one, many, 1 if is_one(number) else 2),
        newstyle=True,
    )
    local = formats.Formats(locale)
    for name in ("moment", "second", "day", "weekday", "month", "percent"):
        environment.filters[name] = getattr(local, name)
    for function in _FILTERS:
        environment.filters[function.__name__] = function
    environment.globals.update(share=formats.share, marks=local.marks)
    return environment


_FILTERS = (
    formats.money,
    formats.words,
    formats.figure,
    formats.count,
    formats.clock,
    formats.size,
    formats.total,
    formats.lost,
    formats.grouped,
)

_UA_SCHEMA = b"""
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about=""
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>The part of ISO 14289 that the file follows</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
"""
