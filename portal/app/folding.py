"""Templates whose fixed parts are worked out once for each language.

A page names some seventy texts, thirty icons and twenty addresses, nearly all by a literal. What
such a call gives never changes while the process lives, so it is put into the template when that
is compiled: once a language. What depends on the request stays a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from flask import current_app, has_request_context, request
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]
from werkzeug.routing import BuildError

from portal.kernel.texts import counted, gettext, language

Variant = tuple[str, bool]
"""What folded templates differ by: the language, and whether addresses may be fixed, which they may
when the portal stands at its host's root (so that a header cannot fill the memory)."""

_ICONS = "components/icon.html"


def variant() -> Variant | None:
    """The present variant; None outside of a request, where nothing is folded."""
    if not has_request_context():
        return None
    present = language()
    return None if present is None else (present.code, not request.environ.get("SCRIPT_NAME"))


class Folded:
    """The compiled templates by variant and name; Jinja's cache for the environment below."""

    def __init__(self) -> None:
        """Nothing is compiled yet."""
        self._held: dict[tuple[Variant | None, Any], Any] = {}

    def get(self, key: Any) -> Any:
        """The template, or None before it is compiled."""
        return self._held.get((variant(), key))

    def __setitem__(self, key: Any, template: Any) -> None:
        """Keep a template for the present variant."""
        self._held[variant(), key] = template

    def clear(self) -> None:
        """Forget all of them."""
        self._held.clear()


def shown(value: object) -> str:
    """A value as it stands in a page: escaped, unless it is markup.

    As `markupsafe.escape`, but for the type of what it gives: a page joins its two hundred values
    to one text at once, and to make each a `Markup` first takes longer than to escape it.
    """
    if type(value) is str:
        return str(_escape_inner(value))
    return value if type(value) is Markup else escape(value)


class _Writer(CodeGenerator):
    """Jinja's compiler, whose pages ask `shown` for what they put out."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.shown(")


class FoldingEnvironment(Environment):
    """Flask's environment with the fixed calls of HTML templates worked out at compile time."""

    code_generator_class = _Writer
    shown = staticmethod(shown)

    def __init__(self, app: Any, **options: Any) -> None:
        """As Flask's own."""
        super().__init__(app, **options)
        self._loaded: dict[tuple[Any, ...], Template] = {}
        self.cache = Folded()  # type: ignore[assignment]  # what Jinja asks of it is there

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The names of all templates. Where one has none of its own they are these very ones: a
        chain of two is copied name by name for each page."""
        return super().make_globals(d) if d else self.globals

    def _load_template(
        self,
        name: str,
        globals: MutableMapping[str, Any] | None,
    ) -> Template:
        # Each page loads nine, and nothing of Jinja's own bookkeeping applies: they never change.
        if self.auto_reload or globals:
            return super()._load_template(name, globals)
        key = self.loader, variant(), name
        found = self._loaded.get(key)
        if found is None:
            found = self._loaded[key] = super()._load_template(name, globals)
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        present = variant()
        if present is None or name is None or not name.endswith(".html"):
            return tree
        folded: nodes.Template = _Fold(self.globals, tree, fixed_addresses=present[1]).visit(tree)
        return folded


class _Fold(NodeTransformer):
    """Replaces calls with literal arguments by what they give."""

    def __init__(
        self, names: Mapping[str, Any], tree: nodes.Template, *, fixed_addresses: bool
    ) -> None:
        self._known: dict[str, Callable[..., nodes.Expr | None]] = {"_": _text, "gettext": _text}
        if "asset" in names:
            self._known["asset"] = lambda *given: _plain(names["asset"], *given)
        if fixed_addresses:
            self._known["url_for"] = _address
        if any(
            one.template == nodes.Const(_ICONS) and "icon" in one.names
            for one in tree.find_all(nodes.FromImport)
        ):
            self._known["icon"] = lambda *given: _plain(names["svg_icon"], *given)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """Fold a call of a known name, after whatever it holds."""
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        if node.node.name == "ngettext":
            return _counted(node.args, node.kwargs) or node
        fold = self._known.get(node.node.name)
        literals = [one.value for one in node.args if isinstance(one, nodes.Const)]
        if fold is None or len(literals) < len(node.args):
            return node
        found = fold(literals, node.kwargs)
        return node if found is None else found.set_lineno(node.lineno)


def _literal(text: str) -> nodes.Expr:
    """Text that needs no escaping any more."""
    return nodes.MarkSafe(nodes.Const(str(text)))


def _text(args: list[Any], values: list[nodes.Keyword]) -> nodes.Expr | None:
    """A translation; with values, its placeholders are filled when the page is made."""
    if len(args) != 1 or not isinstance(args[0], str):
        return None
    return _filled(gettext(args[0]), values)


def _filled(text: str, values: list[nodes.Keyword]) -> nodes.Expr:
    if not values:
        return _literal(text % {} if "%" in text else text)
    pairs = [nodes.Pair(nodes.Const(one.key), one.value) for one in values]
    return nodes.Mod(_literal(text), nodes.Dict(pairs))


def _counted(args: list[nodes.Expr], values: list[nodes.Keyword]) -> nodes.Expr | None:
    """The form for one or for many: chosen when the page is made, where the language has two."""
    match args:
        case [nodes.Const(value=str(one)), nodes.Const(value=str(many)), number]:
            single, several = (counted(one, many, single=each) for each in (True, False))
            if single == several:
                return _filled(several, values)
            is_one = nodes.Compare(
                nodes.Filter(number, "string", [], [], None, None),
                [nodes.Operand("eq", nodes.Const("1"))],
            )
            return nodes.CondExpr(is_one, _filled(single, values), _filled(several, values))
    return None


def _plain(give: Callable[..., Any], args: list[Any], named: list[nodes.Keyword]) -> Any:
    """What a global function gives for literals."""
    known: dict[str, Any] = {}
    for one in named:
        if not isinstance(one.value, nodes.Const):
            return None
        known[one.key] = one.value.value
    value = give(*args, **known)
    return _literal(value) if isinstance(value, Markup) else nodes.Const(value)


def _address(args: list[Any], values: list[nodes.Keyword]) -> nodes.Expr | None:
    """The address of an endpoint without values; one that is not there stays a call."""
    if values or len(args) != 1 or args[0].startswith("."):
        return None
    try:
        return nodes.Const(current_app.url_for(args[0]))
    except BuildError:
        return None
