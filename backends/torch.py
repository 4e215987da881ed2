"""The adapter for PyTorch tensors, their subclasses, and ``__torch_function__`` objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from einsum_unified.adapter import About, Adapter, Capabilities, Costs, Form, Term, letters, one_place
from einsum_unified.dtypes import Symbol, kind_of, no_promotion, promote
from einsum_unified.errors import OperandTypeError

_FLOAT8 = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")
_NATIVE = ("uint8", "int8", "int16", "int32", "int64", "bfloat16", "float16", "float32", "float64",
           "complex64", "complex128")  # fmt: skip
_WIDER = {
    "bool": "float32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",  # wraps around modulo 2**64: cast back, it is the unsigned result
    "complex32": "complex64",
    **dict.fromkeys(_FLOAT8, "float32"),
}
_CPU = torch.device("cpu")
_COMMON = "bool int8 int16 int32 int64 uint8 float16 float32 float64 complex64 complex128"
_COMMON_NUMBERS = frozenset(np.dtype(name).num for name in _COMMON.split())
"""NumPy's numbers of the dtypes that all versions of torch have."""
# NumPy dtypes that torch.from_numpy refuses. Their bits are passed as integers of the same size.
_BITS = {"bfloat16": np.int16, **dict.fromkeys(_FLOAT8, np.int8)}

_SPARSE = (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)
_AUTOCAST = (torch.float32, torch.float16, torch.bfloat16)
# A private function: it is four times as fast as asking for each kind of device, which is done without it.
_is_any_autocast = getattr(torch._C, "_is_any_autocast_enabled", lambda: True)

# torch has no public product of int8 matrices in int32. This private one is five times as fast as `torch.mm`
# on them, but does not support vmap. If a future torch lacks it, or the test for vmap's tensors, a public
# product is used.
_int_mm = getattr(torch, "_int_mm", None)
_is_wrapped = getattr(getattr(torch._C, "_functorch", None), "is_functorch_wrapped_tensor", None)


def _derivatives(function: Callable[..., Any], xs: Sequence[Any]) -> Sequence[Any]:
    leaves = [x.detach().requires_grad_() for x in xs]
    return torch.autograd.grad(function(*leaves), leaves)


class TorchAdapter(Adapter):
    """Uses torch's own functions as members where they do exactly what a member must do."""

    name = "torch"
    capabilities = Capabilities(
        arithmetic=_WIDER,
        dtypes=frozenset({*_NATIVE, *_WIDER}),
        out=True,
        views=True,
        devices=True,
        vectors=True,
        batch_axes=1,
        autocast=True,
        integers=frozenset({"int8"}),
        exact=frozenset({"bool", "int8", "uint8", "int16", "uint16"}),
        about=About(
            symbolic_sizes="torch.compile, torch.export, make_fx, torch.fx",
            gradients="backward, forward mode, torch.func, vmap, autocast",
            compilers="torch.compile with fullgraph=True, torch.export, torch.jit.trace",
            tested="CPU, meta and fake tensors, DTensor on one process; not CUDA",
            differentiate=_derivatives,
        ),
        costs=Costs(
            call=1800,
            view=800,
            multiplication={
                "float32": 0.025,
                "float64": 0.05,
                "complex64": 0.1,
                "complex128": 0.2,
                "int32": 0.07,
                "int64": 0.15,
                **dict.fromkeys(("int8", "uint8", "int16"), 0.03),
            },
            product=60,
            small=0,
            packed=0.5,
            packed_right=0.2,
            turned=0.3,
            ragged=4,
            scalar=0.9,
            elementwise=0.16,
        ),
    )

    def form(self, cls: type) -> Form | None:
        """Subclasses are tensors; other ``__torch_function__`` objects handle einsum themselves."""
        if issubclass(cls, torch.Tensor):
            return Form.TENSOR
        return Form.NATIVE if hasattr(cls, "__torch_function__") else None

    def dtype_from_name(self, name: str) -> Any:
        """Return torch's attribute of that name, if it is a dtype."""
        dtype = getattr(torch, name, None)
        return dtype if isinstance(dtype, torch.dtype) else None

    def result_type(self, names: Sequence[str], weak: Sequence[type]) -> str:
        """Promote as ``torch.promote_types`` and ``x * 2.5`` do; without a rule, on the shared lattice."""
        try:
            dtype = reduce(torch.promote_types, map(self.dtype_from_name, names))
        except RuntimeError:  # uint16, uint32 and uint64 with other integers; float8
            dtype = self.dtype_from_name(promote(*names))
        for cls in weak:
            try:
                dtype = torch.result_type(torch.empty(1, dtype=dtype, device="meta"), cls())
            except RuntimeError as error:
                raise no_promotion(str(dtype), f"a Python {cls.__name__}") from error
        return _name(dtype)

    def settings(self, names: Sequence[str], weak: Sequence[type]) -> Callable[[], Any] | None:
        """Beside integers and bools, a Python float or complex counts as of torch's default dtype."""
        inexact = any(kind_of(name) in ("float", "complex") for name in names)
        return torch.get_default_dtype if {float, complex} & {*weak} and not inexact else None

    def hint(self, x: Any) -> tuple[str, str] | None:
        """Return the kind of a sparse, nested or quantised tensor, and the call that makes it dense."""
        if not isinstance(x, torch.Tensor):
            return None
        if x.is_nested:
            return "nested", "torch.nested.to_padded_tensor(x, 0.0)"
        if x.is_quantized:
            return "quantised", "x.dequantize()"
        return ("sparse", "x.to_dense()") if x.layout is not torch.strided else None

    @staticmethod
    def asarray(x: Any, like: Any, dtype: Any) -> Any:
        """Convert a NumPy array, on the device of ``like``; memory is shared if possible."""
        if isinstance(x, Symbol):
            return torch.scalar_tensor(x.value, dtype=dtype, device=like.device)
        usable = x.dtype.isnative and x.flags.writeable and min(x.strides, default=0) >= 0
        if usable and x.dtype.num in _COMMON_NUMBERS:  # to ask for the name would take most of the time
            tensor = torch.from_numpy(x)
            same = tensor.dtype is dtype and like.device == _CPU
            return tensor if same else tensor.to(device=like.device, dtype=dtype)
        if x.dtype == object:  # Python integers beyond 64 bits
            x = x.astype(np.float64)
        bits = _BITS.get(x.dtype.name)
        if bits is not None:
            tensor = torch.from_numpy(np.array(x).view(bits)).view(getattr(torch, x.dtype.name))
        else:
            # torch refuses other byte orders and negative strides, and warns about read-only memory.
            standard = np.dtype(x.dtype.name)  # numpy.ulonglong, the dtype of 2**63, is a second uint64
            plain = usable and x.dtype.num == standard.num
            tensor = torch.from_numpy(x if plain else np.array(x, standard).view(standard))
        return tensor.to(device=like.device, dtype=dtype)

    def to_numpy(self, x: Any) -> Any:
        """Return a NumPy array of the same values; float8 and bfloat16 become float32."""
        x = x.detach().cpu().resolve_conj().resolve_neg()
        if x.dtype is torch.complex32:
            x = x.to(torch.complex64)
        return (x.to(torch.float32) if _name(x.dtype) in _BITS else x).numpy()

    # torch's own products do not always raise if devices differ: a meta operand gives garbage.
    same_device: Any = staticmethod(one_place(attrgetter("device")))

    def static_size(self, size: Any) -> Any:
        """Return symbols of torch.export, make_fx and dynamic torch.compile unchanged.

        Under `torch.jit.trace` sizes are tensors. They become the integers of the example inputs, as all
        Python values do there.
        """
        if not isinstance(size, torch.SymInt):
            return int(size)
        number = size.node.maybe_as_int()
        return size if number is None else number

    @staticmethod
    def same_size(m: Any, n: Any) -> bool:
        """Compare two sizes; a tracer records the answer as a condition (guard) on its graph.

        Sizes that depend on data count as equal and as not 1, as in torch's own operations.
        """
        from torch.fx.experimental.symbolic_shapes import guard_or_false, guard_or_true  # imports SymPy

        # `n == 1` would add a guard if n is a symbol, so its type is tested first.
        return guard_or_false(m == n) if type(n) is int and n == 1 else guard_or_true(m == n)

    @staticmethod
    def broadcast_to(x: Any, shape: tuple[Any, ...]) -> Any:
        """Return a view."""
        return x.expand(shape)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        """Cast; integers wrap around."""
        return x.to(dtype)

    transpose: Any = staticmethod(torch.permute)  # a view
    reshape: Any = staticmethod(torch.reshape)  # a view where the strides allow it

    @staticmethod
    def diagonal(x: Any, axis1: int, axis2: int) -> Any:
        """Return a view."""
        return torch.diagonal(x, 0, axis1, axis2)

    @staticmethod
    def sum(x: Any, axes: tuple[int, ...]) -> Any:
        """Sum in the tensor's own dtype: by default torch sums narrow integers in int64."""
        if x.is_sparse:  # then torch would sum in another dtype, and without a gradient
            raise NotImplementedError("torch.sum of a sparse tensor ignores dtype=")
        return torch.sum(x, axes, dtype=x.dtype)

    @staticmethod
    def sum_products(x: Any, axes: tuple[int, ...]) -> Any:
        """Sum; under autocast the result has the dtype of matrix products, since torch does not cast sums."""
        total = torch.sum(x, axes, dtype=x.dtype)
        if _is_any_autocast() and torch.is_autocast_enabled(x.device.type) and x.dtype in _AUTOCAST:
            return total.to(torch.get_autocast_dtype(x.device.type))
        return total

    dot: Any = staticmethod(torch.matmul)

    @staticmethod
    def integer_dot(a: Any, b: Any) -> Any:
        """Multiply two int8 matrices in int32, which wraps around."""
        if _int_mm is None or _is_wrapped is None or a.is_cuda or _is_wrapped(a) or _is_wrapped(b):
            # Exact: float64 holds sums of 2**39 products of int8.
            return torch.mm(a.to(torch.float64), b.to(torch.float64)).to(torch.int64).to(torch.int32)
        # It reads out of bounds if strides are unusual: expanded matrices, rows or columns of one element.
        return _int_mm(a.contiguous(), b.contiguous())

    @staticmethod
    def matmul(a: Any, b: Any) -> Any:
        """Multiply batches of matrices; `torch.bmm` skips the checks of `torch.matmul`."""
        if a.dim() == b.dim() == 3:
            m, n = a.shape[0], b.shape[0]
            equal = adapter.same_size(m, n) if type(m) is torch.SymInt else m == n
            if equal:
                return torch.bmm(a, b)
        return torch.matmul(a, b)

    @staticmethod
    def multiply(a: Any, b: Any) -> Any:
        """Multiply elementwise, in C order."""
        return torch.mul(a, b).contiguous()

    @staticmethod
    def contiguous(x: Any) -> Any:
        """Copy if necessary."""
        return x.contiguous()

    def native(self, terms: Sequence[Term], output: Term) -> Callable[..., Any]:
        """Return ``torch.einsum`` for the equation, or what takes its place if an operand is sparse."""

        def contract(*operands: Any) -> Any:
            if any(isinstance(x, torch.Tensor) and x.layout in _SPARSE for x in operands):
                from einsum_unified.backends.torch_sparse import contract  # seldom needed

                return contract([*map(_plain, terms)], _plain(output), operands)
            return torch.einsum(letters(terms, output), *operands)

        return contract

    def exactly(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Run with autocast switched off."""

        def run_exactly(*operands: Any) -> Any:
            if not _is_any_autocast():
                return run(*operands)
            device = next(x.device.type for x in operands if isinstance(x, torch.Tensor))
            with torch.autocast(device, enabled=False):
                return run(*operands)

        return run_exactly

    def copy_into(self, out: Any, x: Any) -> None:
        """Copy into a tensor, also from a view of that tensor."""
        if out.device != x.device:
            raise OperandTypeError(f"out= is on {out.device} but the result on {x.device}")
        if x.layout is not torch.strided:
            raise OperandTypeError("out= is dense but the result is a sparse torch Tensor")
        try:
            shared = out.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        except RuntimeError:  # tensors of a tracer have no memory
            shared = True
        out.copy_(x.clone() if shared else x)


def _plain(term: Term) -> tuple[int, ...]:
    return tuple([label for label in term if label is not ...])


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


adapter = TorchAdapter()
