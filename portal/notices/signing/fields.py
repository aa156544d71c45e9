"""The empty signature fields of a paper: the issuer's in its signature area, the receipts' unseen.

They are written with the page and stand in the structure tree as form elements, so that the paper
is PDF/A and PDF/UA before the first signature and stays so after the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pydyf
from weasyprint.document import Document

ISSUER = "issuer"
RECEIPTS = ("receipt-1", "receipt-2", "receipt-3")
MARK = "data-signature"
_PRINT_LOCKED = 4 + 128
_SCALE = 0.75  # CSS pixels to points


class _Apart(pydyf.Dictionary):  # type: ignore[misc]  # pydyf has no types
    """A dictionary outside the compressed object stream: what a signature reads and writes anew
    is found at once, without unpacking the stream for each."""

    compressible = False


def add_fields(document: Document, pdf: Any, labels: Mapping[str, str]) -> None:
    """Add the fields to a laid-out document; `labels` say for readers what each field is."""
    root = _object(pdf, pdf.catalog["StructTreeRoot"])
    page_number, area = _area(document)
    fields = []
    for name in (ISSUER, *RECEIPTS):
        on_page, box = (page_number, area) if name == ISSUER else (len(document.pages) - 1, None)
        widget = _widget(pdf, labels[name], on_page, box)
        _tag(pdf, root, widget, on_page, labels[name])
        fields.append(_field(pdf, name, labels[name], widget))
    form = _Apart({"Fields": pydyf.Array([one.reference for one in fields]), "SigFlags": 3})
    pdf.add_object(form)
    pdf.catalog["AcroForm"] = form.reference
    _set_apart(pdf)


def _set_apart(pdf: Any) -> None:
    """Put the catalog outside the object stream, under its number."""
    catalog = _Apart(pdf.catalog)
    catalog.number = pdf.catalog.number
    pdf.objects[catalog.number] = pdf.catalog = catalog


def _area(document: Document) -> tuple[int, tuple[float, float, float, float] | None]:
    """Page and rectangle in points of the box that is marked as the issuer's signature area."""
    for number, page in enumerate(document.pages):
        for box in _boxes(page._page_box):
            if box.element is not None and box.element.get(MARK) == ISSUER and box.element_tag:
                left, top = box.border_box_x(), box.border_box_y()
                right, bottom = left + box.border_width(), top + box.border_height()
                corners = left, page.height - bottom, right, page.height - top
                x1, y1, x2, y2 = (round(value * _SCALE, 2) for value in corners)
                return number, (x1, y1, x2, y2)
    return len(document.pages) - 1, None


def _boxes(box: Any) -> Iterator[Any]:
    yield box
    for child in getattr(box, "children", ()):
        yield from _boxes(child)


def _field(pdf: Any, name: str, label: str, widget: Any) -> Any:
    """The field apart from its widget: signing writes the field anew, and nothing else of the
    paper (the structure tree knows the widget) points to what was written anew. The widget names
    no parent, which an only one need not: poppler would take it for a field of its own."""
    field = _Apart(
        {
            "FT": "/Sig",
            "T": pydyf.String(name),
            "TU": pydyf.String(label),
            "Kids": pydyf.Array([widget.reference]),
        }
    )
    pdf.add_object(field)
    return field


def _widget(
    pdf: Any,
    label: str,
    page_number: int,
    area: tuple[float, float, float, float] | None,
) -> Any:
    x1, y1, x2, y2 = area or (0, 0, 0, 0)
    looks = pydyf.Stream(
        extra={
            "Type": "/XObject",
            "Subtype": "/Form",
            "BBox": pydyf.Array([0, 0, round(x2 - x1, 2), round(y2 - y1, 2)]),
            "Resources": pydyf.Dictionary(),
        }
    )
    pdf.add_object(looks)
    page_reference = pdf.page_references[page_number]
    widget = _Apart(
        {
            "Type": "/Annot",
            "Subtype": "/Widget",
            "Contents": pydyf.String(label),
            "F": _PRINT_LOCKED,
            "P": page_reference,
            "Rect": pydyf.Array([x1, y1, x2, y2]),
            "AP": pydyf.Dictionary({"N": looks.reference}),
        }
    )
    pdf.add_object(widget)
    page = _object(pdf, page_reference)
    page.setdefault("Annots", pydyf.Array()).append(widget.reference)
    return widget


def _tag(pdf: Any, root: Any, widget: Any, page_number: int, label: str) -> None:
    """Nest the field in a form element of the structure tree."""
    body = _object(pdf, root["K"][0])
    nums = _object(pdf, root["ParentTree"])["Nums"]
    page_reference = pdf.page_references[page_number]
    content = pydyf.Dictionary({"Type": "/OBJR", "Obj": widget.reference, "Pg": page_reference})
    element = pydyf.Dictionary(
        {
            "Type": "/StructElem",
            "S": "/Form",
            "P": body.reference,
            "Pg": page_reference,
            "Alt": pydyf.String(label),
            "K": pydyf.Array([content]),
        }
    )
    pdf.add_object(element)
    body["K"].append(element.reference)
    widget["StructParent"] = len(nums) // 2
    nums.extend((len(nums) // 2, element.reference))


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
