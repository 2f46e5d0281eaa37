"""The one error of this package.

It is defined here and not in ``umnist_core.errors``, because an exported study carries this
package as source, and that copy has to run where umnist is not installed.
"""

from __future__ import annotations


class ScoringInputError(ValueError):
    """The answers, traces or parameters that were handed in cannot be what they are said to be."""
