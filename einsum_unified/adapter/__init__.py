"""Everything an author of an adapter needs: the protocol, its data classes, and base classes.

``docs/writing-a-backend.md`` is a tutorial that ends with an adapter that passes the conformance kit.
"""

from einsum_unified.adapter.array_api import ArrayAPIAdapter
from einsum_unified.adapter.base import Adapter, one_place
from einsum_unified.adapter.capabilities import About, Capabilities, Form
from einsum_unified.adapter.costs import Costs
from einsum_unified.adapter.numpy_like import NumPyLikeAdapter
from einsum_unified.adapter.protocol import ADAPTER_API, Backend, Recorder, Shape
from einsum_unified.language.letters import Term, letters, numbered

__all__ = [
    "ADAPTER_API",
    "About",
    "Adapter",
    "ArrayAPIAdapter",
    "Backend",
    "Capabilities",
    "Costs",
    "Form",
    "NumPyLikeAdapter",
    "Recorder",
    "Shape",
    "Term",
    "letters",
    "numbered",
    "one_place",
]
