"""Linear algebra of the matrices in the last two axes: factors, inverses, solutions."""

from typing import Any

import jax.numpy as jnp
from jax.core import Tracer
from jax.scipy import linalg

from funkeras.functional.checks import one_of
from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "logdet",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]


@op
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular `L` with `x = L Lᵀ`, of symmetric positive matrices, or `Lᵀ` if `upper`.

    Within a traced function, where no values can be looked at, other matrices give NaN.
    """
    y = jnp.linalg.cholesky(array(x), upper=upper)
    if not isinstance(y, Tracer) and bool(jnp.isnan(y).any()):
        raise ValueError("x must be a symmetric positive definite matrix, without NaN in it")
    return y


@op
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix that has the Cholesky factor `x`."""
    x = array(x)
    unit = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    root = linalg.solve_triangular(x, unit, lower=not upper)
    turned = jnp.matrix_transpose(root)
    return root @ turned if upper else turned @ root


@op
def det(x: Any) -> Any:
    """Determinants."""
    return jnp.linalg.det(array(x))


@op
def eig(x: Any) -> Any:
    """Complex eigenvalues, and eigenvectors as columns, of any square matrices."""
    return tuple(jnp.linalg.eig(array(x)))


@op
def eigh(x: Any) -> Any:
    """Eigenvalues, the least first, and eigenvectors as columns, of symmetric matrices."""
    return tuple(jnp.linalg.eigh(array(x)))


@op
def inv(x: Any) -> Any:
    """Inverses; those of singular matrices are not finite."""
    return jnp.linalg.inv(array(x))


@op
def logdet(x: Any) -> Any:
    """The natural logarithm of the determinant's absolute value."""
    return jnp.linalg.slogdet(array(x))[1]


@op
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The shortest `x` of those for which `a x` is closest to `b`, in Euclidean length."""
    return jnp.linalg.lstsq(array(a), array(b), rcond)[0]


@op
def lu_factor(x: Any) -> Any:
    """Both triangular factors in one matrix, `L` without its unit diagonal, and exchanged rows."""
    return tuple(linalg.lu_factor(array(x)))


@op
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """Number of singular values above `tol`, by default in proportion to the largest one."""
    return jnp.linalg.matrix_rank(_matrices(x), tol=tol).astype("int32")


@op
def pinv(x: Any, rcond: Any = None) -> Any:
    """Moore and Penrose's inverse; singular values below `rcond` of the largest count as 0."""
    return jnp.linalg.pinv(_matrices(x), rcond=rcond)


def _matrices(x: Any) -> Any:
    x = array(x)
    if x.ndim < 2:
        raise ValueError(f"x must have the two axes of a matrix at least, got shape {x.shape}")
    return x


@op
def qr(x: Any, mode: str = "reduced") -> Any:
    """`Q` with orthogonal columns of length 1 and the triangular `R` for which `x = Q R`.

    `Q` has as many columns as `x`, or in the mode `complete` as many as rows.
    """
    return tuple(jnp.linalg.qr(array(x), one_of("mode", mode, ("reduced", "complete"))))


@op
def slogdet(x: Any) -> Any:
    """The sign of the determinant and the natural logarithm of its absolute value."""
    return tuple(jnp.linalg.slogdet(array(x)))


@op
def solve(a: Any, b: Any) -> Any:
    """The `x` for which `a x = b`, of square matrices `a` and one vector, or matrices, `b`."""
    return jnp.linalg.solve(array(a), array(b))


@op
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The `x` for which `a x = b`, where only the upper or `lower` triangle of `a` counts.

    With one axis less than `a`, `b` has a vector for each matrix.
    """
    a, b = array(a), array(b)
    if b.ndim == a.ndim - 1 and b.shape[-1] == a.shape[-1]:
        return linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return linalg.solve_triangular(a, b, lower=lower)


@op
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`U`, the singular values, the largest first, and `Vᵀ` for which `x = U S Vᵀ`; or the values.

    `U` and `V` are square, or with `full_matrices` off have as many columns as there are values.
    """
    found = jnp.linalg.svd(array(x), full_matrices, compute_uv)
    return tuple(found) if compute_uv else found
