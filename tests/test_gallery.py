"""The gallery on every framework, each equation beside the framework's own function for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from einops import rearrange
from frameworks import Framework

from einsum_unified import OperandError, einsum
from einsum_unified.testing.gallery import GALLERY, MISTAKE, Picture

TOLERANCE = 1e-12  # float64; the one float32 row has its own


def permuted(fw: Framework, x: Any, *axes: int) -> Any:
    return fw.module.permute(x, axes) if fw.name == "torch" else fw.module.transpose(x, axes)


def total(fw: Framework, x: Any, *axes: int) -> Any:
    axes = axes or tuple(range(len(x.shape)))
    return fw.module.reduce_sum(x, axes) if fw.name == "tensorflow" else fw.module.sum(x, axes)


def cast(fw: Framework, x: Any, dtype: str) -> Any:
    if fw.name == "tensorflow":
        return fw.module.cast(x, dtype)
    return x.astype(dtype) if fw.name == "numpy" else x.to(getattr(fw.module, dtype))


def trace(fw: Framework, x: Any) -> Any:
    return fw.module.linalg.trace(x) if fw.name == "tensorflow" else fw.module.trace(x)


def nested_loops(fw: Framework, *operands: Any) -> Any:
    """Bilinear, one pair (i, j) after the other, with the framework's own vector products."""
    a, w, *b = operands
    rows = [
        [
            total(fw, a[i][:, None] * w[j] * b[0][i][None, :]) if b else a[i][None] @ w[j]
            for j in range(w.shape[0])
        ]
        for i in range(a.shape[0])
    ]
    if b:
        return fw.module.stack([fw.module.stack(row) for row in rows])
    return fw.module.stack([fw.module.stack([r[0] for r in row]) for row in rows])


OWN: dict[str, Callable[..., Any]] = {
    "ij->ji": lambda fw, x: permuted(fw, x, 1, 0),
    "ijk->kji": lambda fw, x: permuted(fw, x, 2, 1, 0),
    "ijk->jik": lambda fw, x: permuted(fw, x, 1, 0, 2),
    "ii": trace,
    "ij->": lambda fw, x: total(fw, x),
    "ij->i": lambda fw, x: total(fw, x, 1),
    "ij->j": lambda fw, x: total(fw, x, 0),
    "ij,j->i": lambda fw, a, b: (a @ b[:, None])[:, 0],
    "ij,jk->ik": lambda fw, a, b: fw.module.matmul(a, b),
    "ik,kj->ij": lambda fw, a, b: fw.module.matmul(a, b),
    "ij,kj->ik": lambda fw, a, b: fw.module.matmul(a, permuted(fw, b, 1, 0)),
    "i,i->": lambda fw, a, b: total(fw, a * b),
    "ij,ij->": lambda fw, a, b: total(fw, a * b),
    "i,j->ij": lambda fw, a, b: a[:, None] * b[None, :],
    "i,j->ji": lambda fw, a, b: b[:, None] * a[None, :],
    "ij,ij->ij": lambda fw, a, b: a * b,
    "ij,ij->ji": lambda fw, a, b: permuted(fw, a * b, 1, 0),
    "ijk,ikl->ijl": lambda fw, a, b: fw.module.matmul(a, b),
    "BNi,Bi->BN": lambda fw, a, b: fw.module.matmul(a, cast(fw, b, "float64")[:, :, None])[:, :, 0],
    "Bkj,Bl->Bjl": lambda fw, a, b: total(fw, a, 1)[:, :, None] * cast(fw, b, "float32")[:, None, :],
    "ik,jkl,il->ij": nested_loops,
    "ik,jkl->ijl": nested_loops,
    "ijk,kl->ijl": lambda fw, a, b: fw.module.matmul(a, b),
    "ijkl->ikjl": lambda fw, x: permuted(fw, x, 0, 2, 1, 3),
    "ijkl,ijml->ijkm": lambda fw, q, k: fw.module.matmul(q, permuted(fw, k, 0, 1, 3, 2)),
    "ijkl,ijlm->ikjm": lambda fw, p, v: permuted(fw, fw.module.matmul(p, v), 0, 2, 1, 3),
    "b i d , b j d -> b i j": lambda fw, q, k: fw.module.matmul(q, permuted(fw, k, 0, 2, 1)),
    "b i j , b j d -> b i d": lambda fw, p, v: fw.module.matmul(p, v),
    "b h i d , b h j d -> b h i j": lambda fw, q, k: fw.module.matmul(q, permuted(fw, k, 0, 1, 3, 2)),
    "b h i j , b h j d -> b h i d": lambda fw, p, v: fw.module.matmul(p, v),
}


@pytest.mark.parametrize("picture", GALLERY, ids=lambda p: f"{p.operation}: {p.equation}")
def test_a_picture_equals_the_frameworks_own_function_and_numpys(framework: Framework, picture: Picture):
    tensors = [framework.tensor(x) for x in picture.operands()]
    result = framework.numpy(einsum(picture.equation, *tensors))
    tolerance = 1e-6 if "float32" in picture.dtypes else TOLERANCE
    expected = framework.numpy(OWN[picture.equation](framework, *tensors))
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(result, picture.reference(*picture.operands()), rtol=tolerance, atol=tolerance)


def test_the_gallery_has_a_framework_function_for_each_of_its_equations():
    assert {picture.equation for picture in GALLERY} == set(OWN)


def test_the_mistake_names_label_operands_sizes_and_places(framework: Framework):
    equation, shapes = MISTAKE
    operands = [framework.tensor(np.ones(shape)) for shape in shapes]
    with pytest.raises(OperandError) as caught:
        einsum(equation, *operands)
    assert str(caught.value).splitlines() == [
        "label 'j' is 3 in operand 0 but 4 in operand 1",
        "    ij,kj->ik",
        "     ^  ^",
        f"  operand 0 'ij': shape (2, 3), {framework.name}.float64",
        f"  operand 1 'kj': shape (3, 4), {framework.name}.float64",
    ]


# --- attention, whole -----------------------------------------------------------------------------


def softmax(fw: Framework, x: Any) -> Any:
    if fw.name == "tensorflow":
        return fw.module.nn.softmax(x)
    if fw.name == "torch":
        return fw.module.softmax(x, -1)
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def own_attention(fw: Framework, q: Any, k: Any, v: Any, scale: float) -> Any:
    """(batch, heads, sequence, depth): the framework's fused attention where it has one."""
    if fw.name == "torch":
        return fw.module.nn.functional.scaled_dot_product_attention(q, k, v, scale=scale)
    if fw.name == "tensorflow":
        layer = fw.module.keras.layers.Attention(use_scale=False, dtype="float64")
        # Older versions of the layer take three axes only.
        flat = [fw.module.reshape(x, (-1, *x.shape[-2:])) for x in (q * scale, v, k)]
        return fw.module.reshape(layer(flat), (*q.shape[:-1], v.shape[-1]))
    weights = softmax(fw, fw.module.matmul(q, k.swapaxes(-1, -2)) * scale)
    return fw.module.matmul(weights, v)


def normal(fw: Framework, *shape: int, scale: float = 1.0, seed: int = 0) -> Any:
    return fw.tensor(np.random.default_rng(seed).normal(0, scale, shape))


def test_plain_attention_equals_the_frameworks_own(framework: Framework):
    batch, sequence, hidden, heads = 2, 10, 16, 8
    depth = hidden // heads
    reshape = framework.module.reshape
    x = normal(framework, batch, sequence, hidden)
    q, k, v = (
        einsum("ijk,kl->ijl", x, normal(framework, hidden, hidden, scale=0.25, seed=seed))
        for seed in (1, 2, 3)
    )
    q, k, v = (einsum("ijkl->ikjl", reshape(y, (batch, sequence, heads, depth))) for y in (q, k, v))
    scores = einsum("ijkl,ijml->ijkm", q, k) / depth**0.5
    result = einsum("ijkl,ijlm->ikjm", softmax(framework, scores), v)
    expected = permuted(framework, own_attention(framework, q, k, v, depth**-0.5), 0, 2, 1, 3)
    np.testing.assert_allclose(framework.numpy(result), framework.numpy(expected), rtol=1e-10, atol=1e-12)


def test_attention_with_einops_and_one_head_equals_the_frameworks_own(framework: Framework):
    x = normal(framework, 2, 128, 512)
    qkv = einsum("b t c , c d -> b t d", x, normal(framework, 512, 3 * 512, scale=0.02, seed=1))
    q, k, v = rearrange(qkv, "b t (d k) -> k b t d", k=3)
    scores = einsum("b i d , b j d -> b i j", q, k) * 512**-0.5
    result = einsum("b i j , b j d -> b i d", softmax(framework, scores), v)
    expected = own_attention(framework, q[:, None], k[:, None], v[:, None], 512**-0.5)[:, 0]
    np.testing.assert_allclose(framework.numpy(result), framework.numpy(expected), rtol=1e-9, atol=1e-12)


def test_attention_with_einops_and_eight_heads_equals_the_frameworks_own(framework: Framework):
    x = normal(framework, 2, 128, 512)
    qkv = einsum("b t c , c d -> b t d", x, normal(framework, 512, 3 * 512, scale=0.02, seed=1))
    q, k, v = rearrange(qkv, "b t (d k h) -> k b h t d", k=3, h=8)
    scores = einsum("b h i d , b h j d -> b h i j", q, k) * 64**-0.5
    heads = einsum("b h i j , b h j d -> b h i d", softmax(framework, scores), v)
    merge = normal(framework, 512, 512, scale=0.02, seed=2)
    result = einsum("b t c , c d -> b t d", rearrange(heads, "b h t d -> b t (h d)"), merge)
    own_heads = rearrange(own_attention(framework, q, k, v, 64**-0.5), "b h t d -> b t (h d)")
    expected = framework.module.matmul(own_heads, merge)
    np.testing.assert_allclose(framework.numpy(result), framework.numpy(expected), rtol=1e-9, atol=1e-12)
