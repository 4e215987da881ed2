"""Linear algebra in one notation: textbook operations, each as one line of einsum.

Run it with ``python examples/linear_algebra.py``. It needs only NumPy.
"""

from __future__ import annotations

import numpy as np

from einsum_unified import OperandError, einsum, einsum_path

A = np.array([[1, 2, 3], [4, 5, 6]])
B = np.array([[1, 0], [0, 1], [2, 2]])
v = np.array([1, 10, 100])


def show(title: str, equation: str, *operands: np.ndarray) -> None:
    """Print the result of an equation."""
    result = np.asarray(einsum(equation, *operands))
    print(f"{title:<26}{equation:<14}{result.tolist()!s}")


print(f"A = {A.tolist()}\nB = {B.tolist()}\nv = {v.tolist()}\n")
show("transpose", "ij->ji", A)
show("sum of everything", "ij->", A)
show("row sums", "ij->i", A)
show("trace of AB", "ij,ji->", A, B)
show("diagonal of AAᵀ", "ij,ij->i", A, A)
show("matrix × vector", "ij,j->i", A, v)
show("matrix × matrix", "ij,jk->ik", A, B)
show("AᵀA", "ji,jk->ik", A, A)
show("outer product", "i,j->ij", v, v)
show("elementwise product", "ij,ij->ij", A, A)
show("quadratic form vᵀ(AᵀA)v", "i,ji,jk,k->", v, A, A, v)

# A label with size 1 broadcasts, as in NumPy, but labels are matched by name.
column = np.array([[2], [3]])
show("scale rows by a column", "ij,ij->ij", A, column)

print("\nThree matrices: the order of the products decides the cost.")
path, summary = einsum_path("ij,jk,kl->il", (1000, 2), (2, 1000), (1000, 3))
print(summary)

print("\nThe error for a mistake:")
try:
    einsum("ij,kj->ik", A, np.ones((3, 4)))
except OperandError as error:
    print(error)
