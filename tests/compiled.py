"""What a process of tests compiles once, for every portal that it makes: templates and addresses.

A portal in service is made once and would gain nothing. What is kept holds nothing of a portal:
code of the very same source.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from portal.app.folding import variant


class Compiled(BytecodeCache):
    """Templates that a portal of this process has compiled, for those after it.

    All have the same addresses, texts and icons, which are compiled in once a variant.
    """

    def __init__(self) -> None:
        """Nothing is compiled yet."""
        self._held: dict[tuple[str, str], CodeType | None] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """As Jinja's, and the variant."""
        return f"{super().get_cache_key(name, filename)} {variant()}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of the very same source."""
        bucket.code = self._held.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        self._held[bucket.key, bucket.checksum] = bucket.code


Builder = Callable[..., tuple[str, str]]
_BUILDERS: dict[tuple[object, ...], Builder] = {}


class KnownRule(Rule):
    """An address whose builders are compiled once: nine tenths of what making a portal takes.

    A builder is a function of the pattern's text and names; the converters it calls are those of
    the rule that it is bound to. Defaults would be converted into it, so that such a rule keeps
    its own.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        if self.defaults:
            return super()._compile_builder(append_unknown)
        key = (self.rule, *self._trace, append_unknown)
        if key not in _BUILDERS:
            _BUILDERS[key] = super()._compile_builder(append_unknown)
        return _BUILDERS[key]
