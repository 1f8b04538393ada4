"""Claims with one mistake each, kind by kind: programs, claims, and what is to be said of them."""

from __future__ import annotations

PROGRAMS: dict[str, str] = {
    "poisson": """
        input x[N,D], y[N]
        param w[D], b
        eta[n] = sum(d, w[d]*x[n,d]) + b
        loss = mean(n, exp(eta[n]) - y[n]*eta[n])
    """,
    "logistic": """
        input x[N,D], s[N]
        param w[D]
        const lam
        m[n] = s[n]*sum(d, w[d]*x[n,d])
        loss = sum(n, log(1 + exp(-m[n])))/N + lam*sum(d, w[d]^2)
    """,
    "bilinear": """
        input u[N,I], v[N,I], y[N]
        param M[I,I]
        f[n] = sum(i, j, u[n,i]*M[i,j]*v[n,j])
        loss = sum(n, (f[n] - y[n])^2)
    """,
    "residual": """
        input x[N,H], g[N,H]
        param W[H,H], V[H,H]
        z[n,i] = sum(j, W[i,j]*x[n,j])
        a[n,i] = x[n,i] + tanh(z[n,i])
        c[n,i] = sum(j, V[i,j]*a[n,j])
        o[n,i] = a[n,i] + sigmoid(c[n,i])
        loss = sum(n, i, g[n,i]*o[n,i])
    """,
    "filter": """
        input x[T], y[T]
        param d, k
        h[t] = d*h[t-1] + k*x[t]
        loss = mean(t, (h[t] - y[t])^2)
    """,
    "stride": """
        input g[P]
        param x[2*P+R-2], w[R]
        o[p:P] = sum(r, w[r]*x[2*p+r-2])
        loss = sum(p, g[p]*o[p])
    """,
    "standard": """
        input x[N,D], g[N,D]
        param r[D]
        const eps
        assume eps > 0
        m[d] = mean(n, x[n,d])
        s[d] = sqrt(mean(n, (x[n,d] - m[d])^2) + eps)
        o[n,d] = r[d]*(x[n,d] - m[d])/s[d]
        loss = sum(n, d, g[n,d]*o[n,d])
    """,
    "three": """
        input x[N,H], y[N,H]
        param A[H,H], B[H,H], C[H,H], c[H]
        p[n,i] = sum(j, A[i,j]*x[n,j])
        q[n,i] = sigmoid(p[n,i])
        r[n,i] = sum(j, B[i,j]*q[n,j])
        s[n,i] = tanh(r[n,i])
        t[n,i] = sum(j, C[i,j]*s[n,j]) + c[i]
        loss = sum(n, i, (t[n,i] - y[n,i])^2)/2
    """,
    "soft": """
        input g[N,K]
        param z[N,K]
        const tau
        p[n,k] = exp(z[n,k]/tau)/sum(j, exp(z[n,j]/tau))
        loss = sum(n, k, g[n,k]*p[n,k])
    """,
    "tags": """
        input y[N,K]
        param z[N,K]
        l[n,k] = z[n,k] - log(sum(j, exp(z[n,j])))
        loss = -mean(n, sum(k, y[n,k]*l[n,k]))
    """,
    "square": """
        input A[D,D], S[D,D], b[D]
        param x[D], y[D]
        loss = sum(i, j, x[i]*A[i,j]*x[j])/2 - sum(i, b[i]*x[i]) + sum(i, j, x[i]*S[i,j]*y[j])
    """,
    "gate": """
        input g[N]
        param x[N], b
        o[n] = gelu(x[n] + b)
        loss = sum(n, g[n]*o[n])
    """,
    "unit": """
        input w[K], x[K,D], v[D]
        param m[D]
        loss = sum(k, d, w[k]*(x[k,d] - m[d])^2)
    """,
    "huber": """
        input y[N]
        param a[N]
        const c
        assume c > 0
        e[n] = a[n] - y[n]
        loss = mean(n, where(abs(e[n]) <= c, e[n]^2/2, c*(abs(e[n]) - c/2)))
    """,
    "density": """
        param u
        const q
        f = exp(-u^2/2)/sqrt(2*pi)
    """,
    "adam": """
        input g[D]
        param v[D]
        const eps
        assume eps > 0
        o[d] = 1/(sqrt(v[d]) + eps)
        loss = sum(d, g[d]*o[d])
    """,
    "rms": """
        input g[D]
        param x[D]
        s = sqrt(mean(d, x[d]^2) + 0.00001)
        o[d] = x[d]/s
        loss = sum(d, g[d]*o[d])
    """,
    "nets": """
        input x[N,D], y[N]
        param w[D]
        z[n] = sum(d, w[d]*x[n,d])
        a[n] = tanh(z[n])
        loss = mean(n, (a[n] - y[n])^2)
    """,
    "mask": """
        input x[T,D], g[T,D]
        param w[D]
        o[t,d] = relu(w[d]*x[t,d])
        loss = sum(t, d, g[t,d]*o[t,d])
    """,
}

MISTAKES: list[tuple[str, str, str, str]] = [
    # Signs
    ("poisson", "d loss / d w[d]", "mean(n, (y[n] - exp(eta[n]))*x[n,d])", "the claim has the wrong sign"),
    ("logistic", "d loss / d m[n]", "sigmoid(-m[n])/N", "the claim has the wrong sign"),
    ("huber", "d loss / d y[n]", "where(abs(e[n]) <= c, e[n], c*sign(e[n]))/N", "the claim has the wrong sign"),
    (
        "residual",
        "d loss / d a[n,i]",
        "g[n,i] - sum(k, V[k,i]*g[n,k]*sigmoid'(c[n,k]))",
        "the claim has the term sum(k, V[k,i]*g[n,k]*sigmoid'(c[n,k])) with the wrong sign",
    ),
    # Missing factors
    ("poisson", "d loss / d w[d]", "sum(n, (exp(eta[n]) - y[n])*x[n,d])", "the claim lacks the factor 1/N"),
    (
        "logistic",
        "d loss / d w[d]",
        "-sum(n, sigmoid(-m[n])*x[n,d])/N + 2*lam*w[d]",
        "the claim lacks the factor s[n] under the sum over n",
    ),
    ("bilinear", "d loss / d M[i,j]", "sum(n, (f[n] - y[n])*u[n,i]*v[n,j])", "the claim lacks the factor 2"),
    ("soft", "d loss / d z[n,k]", "p[n,k]*(g[n,k] - sum(j, g[n,j]*p[n,j]))", "the claim lacks the factor 1/tau"),
    ("nets", "d loss / d z[n]", "2*(a[n] - y[n])/N", "the claim lacks the factor 1 - a[n]^2"),
    (
        "three",
        "d loss / d A[i,j]",
        "sum(n, x[n,j]*sum(k, B[k,i]*adj(r[n,k])))",
        "the claim lacks the factor q[n,i]*(1 - q[n,i]) under the sum over n",
    ),
    # Extra factors
    ("nets", "d loss / d a[n]", "2*(a[n] - y[n])*(1 - a[n]^2)/N", "the claim has the extra factor 1 - a[n]^2"),
    ("tags", "d loss / d l[n,k]", "-y[n,k]*exp(l[n,k])/N", "the claim has the extra factor exp(l[n,k])"),
    ("adam", "d loss / d v[d]", "-g[d]*o[d]^2/(2*sqrt(v[d]))*v[d]", "the claim has the extra factor v[d]"),
    ("unit", "d loss / d x[k,d]", "2*w[k]^2*(x[k,d] - m[d])", "the claim has w[k]^2 in place of w[k]"),
    # Missing terms
    ("logistic", "d loss / d w[d]", "-sum(n, sigmoid(-m[n])*s[n]*x[n,d])/N", "the claim lacks the term 2*lam*w[d]"),
    (
        "residual",
        "d loss / d a[n,i]",
        "sum(k, V[k,i]*g[n,k]*sigmoid'(c[n,k]))",
        "the path through o is missing from the claim",
    ),
    (
        "square",
        "d loss / d x[i]",
        "sum(j, A[i,j]*x[j])/2 + sum(j, A[j,i]*x[j])/2 - b[i]",
        "the claim lacks the term sum(j, S[i,j]*y[j])",
    ),
    # Paths of the chain rule
    (
        "standard",
        "d loss / d x[n,d]",
        "r[d]*g[n,d]/s[d]",
        "the paths through m and mean(n, (x[n,d] - m[d])^2) are missing from the claim",
    ),
    (
        "residual",
        "d loss / d W[i,j]",
        "sum(n, sum(k, V[k,i]*g[n,k]*sigmoid'(c[n,k]))*tanh'(z[n,i])*x[n,j])",
        "the claim lacks the term g[n,i] beside sum(k, V[k,i]*g[n,k]*sigmoid'(c[n,k]))",
    ),
    (
        "filter",
        "d loss / d d",
        "2*mean(t, (h[t] - y[t])*h[t-1])",
        "the path from h[t] through h[t+1] is missing from the claim",
    ),
    ("filter", "d loss / d h[t]", "2*(h[t] - y[t])/T", "the path through h[t+1] is missing from the claim"),
    (
        "soft",
        "d loss / d z[n,k]",
        "g[n,k]*p[n,k]/tau",
        "the path through sum(j, exp(z[n,j]/tau)) is missing from the claim",
    ),
    # Sums and means over the batch
    ("poisson", "d loss / d b", "exp(eta[n]) - y[n]", "the claim lacks the mean over n"),
    ("three", "d loss / d c[i]", "t[n,i] - y[n,i]", "the claim lacks the sum over n"),
    ("three", "d loss / d c[i]", "mean(n, t[n,i] - y[n,i])", "the claim has the mean over n in place of the sum"),
    ("nets", "d loss / d w[d]", "2*sum(n, (a[n] - y[n])*(1 - a[n]^2)*x[n,d])", "the claim lacks the factor 1/N"),
    ("mask", "d loss / d w[d]", "g[t,d]*relu'(w[d]*x[t,d])*x[t,d]", "the claim lacks the sum over t"),
    (
        "standard",
        "d loss / d r[d]",
        "mean(n, g[n,d]*(x[n,d] - m[d])/s[d])",
        "the claim has the mean over n in place of the sum",
    ),
    # Indices
    (
        "bilinear",
        "d loss / d M[i,j]",
        "2*sum(n, (f[n] - y[n])*u[n,j]*v[n,i])",
        "the claim has (f[n] - y[n])*u[n,j]*v[n,i] in place of (f[n] - y[n])*u[n,i]*v[n,j]",
    ),
    ("three", "d loss / d q[n,i]", "sum(k, B[i,k]*adj(r[n,k]))", "the claim has B[i,k] in place of B[k,i]"),
    ("stride", "d loss / d x[i]", "sum(p, g[p]*w[i-2*p+1])", "the claim has w[i-2*p+1] in place of w[i-2*p+2]"),
    ("stride", "d loss / d w[r]", "sum(p, g[p]*x[2*p-r+2])", "the claim has x[2*p-r+2] in place of x[2*p+r-2]"),
    ("square", "d loss / d y[j]", "sum(i, S[j,i]*x[i])", "the claim has S[j,i] in place of S[i,j]"),
    # One layer off
    ("three", "d loss / d B[i,j]", "sum(n, adj(r[n,i])*x[n,j])", "the claim has x[n,j] in place of q[n,j]"),
    ("three", "d loss / d C[i,j]", "sum(n, (t[n,i] - y[n,i])*q[n,j])", "the claim has q[n,j] in place of s[n,j]"),
    (
        "three",
        "d loss / d p[n,i]",
        "sum(k, B[k,i]*adj(t[n,k]))*q[n,i]*(1 - q[n,i])",
        "the claim has adj(t[n,k]) in place of adj(r[n,k])",
    ),
    (
        "residual",
        "d loss / d V[i,j]",
        "sum(n, g[n,i]*sigmoid'(c[n,i])*x[n,j])",
        "the claim has x[n,j] in place of a[n,j]",
    ),
    # Diagonals of Jacobians
    (
        "soft",
        "d loss / d z[n,k]",
        "g[n,k]*p[n,k]*(1 - p[n,k])/tau",
        "the claim takes the diagonal of the Jacobian of p by z in place of the Jacobian",
    ),
    (
        "tags",
        "d l[n,k] / d z[n,j]",
        "1 - exp(l[n,k])",
        "the claim holds where j = k, not in general: it is the diagonal of the Jacobian of l by z",
    ),
    (
        "standard",
        "d o[n,d] / d x[i,d]",
        "r[d]*(1 - 1/N - (x[n,d] - m[d])^2/(N*s[d]^2))/s[d]",
        "the claim holds where i = n, not in general: it is the diagonal of the Jacobian of o by x",
    ),
    (
        "tags",
        "d loss / d z[n,k]",
        "-y[n,k]*(1 - exp(l[n,k]))/N",
        "the claim takes the diagonal of the Jacobian of l by z in place of the Jacobian",
    ),
    # Derivatives at the wrong point
    ("nets", "d loss / d z[n]", "2*(a[n] - y[n])*(1 - z[n]^2)/N", "the claim has z[n] in place of a[n]"),
    ("nets", "d loss / d z[n]", "2*(a[n] - y[n])*tanh'(a[n])/N", "the claim has tanh'(a[n]) in place of tanh'(z[n])"),
    ("gate", "d loss / d x[n]", "g[n]*gelu'(x[n])", "the claim lacks the term b beside x[n]"),
    (
        "three",
        "d loss / d p[n,i]",
        "sum(k, B[k,i]*adj(r[n,k]))*sigmoid'(q[n,i])",
        "the claim has sigmoid'(q[n,i]) in place of sigmoid'(p[n,i])",
    ),
    ("poisson", "d loss / d eta[n]", "(eta[n] - y[n])/N", "the claim has eta[n] in place of exp(eta[n])"),
    # Assumptions
    (
        "tags",
        "d loss / d z[n,k]",
        "(exp(l[n,k]) - y[n,k])/N",
        "the claim holds if sum(k, y[n,k]) = 1, which is not assumed",
    ),
    (
        "unit",
        "d loss / d m[d]",
        "2*m[d] - 2*sum(k, w[k]*x[k,d])",
        "the claim holds if sum(k, w[k]) = 1, which is not assumed",
    ),
    (
        "unit",
        "d loss / d x[k,d]",
        "2*w[k]*x[k,d] - 2*w[k]*m[d]*sum(j, w[j])",
        "the claim holds if sum(k, w[k]) = 1, which is not assumed",
    ),
    (
        "square",
        "d loss / d x[i]",
        "sum(j, A[i,j]*x[j]) - b[i] + sum(j, S[i,j]*y[j])",
        "the claim holds if A[i,j] = A[j,i], which is not assumed",
    ),
    # Equal at eps = 0
    ("adam", "d loss / d v[d]", "-g[d]/(2*v[d]*sqrt(v[d]))", "the claim holds for eps = 0, not in general"),
    (
        "standard",
        "d loss / d r[d]",
        "sum(n, g[n,d]*(x[n,d] - m[d]))/sqrt(mean(n, (x[n,d] - m[d])^2))",
        "the claim holds for eps = 0, not in general",
    ),
    (
        "rms",
        "d loss / d x[d]",
        "g[d]/s - x[d]*mean(i, g[i]*x[i])/(s*mean(i, x[i]^2))",
        "the claim would hold with 0 in place of 0.00001, not as it stands",
    ),
    # Rounded constants
    (
        "density",
        "d f / d u",
        "-u*exp(-u^2/2)*0.398942",
        "the claim has 0.398942 in place of 1/sqrt(2*pi), off by at most 2.9e-07; for u from -10"
        " to 10 its value is off by at most 1.8e-07",
    ),
    (
        "density",
        "f",
        "0.39894*exp(-0.5*u^2)",
        "the claim has 0.39894 in place of 1/sqrt(2*pi), off by at most 2.3e-06; for u from -10 to"
        " 10 its value is off by at most 2.3e-06",
    ),
    (
        "gate",
        "d loss / d b",
        "sum(n, g[n]*((1 + erf(0.70710678*(x[n] + b)))/2 + (x[n] + b)*exp(-(x[n] + b)^2/2)/sqrt(2*pi)))",
        "the claim has 0.70710678 in place of 1/sqrt(2), off by at most 1.2e-09",
    ),
    (
        "gate",
        "d loss / d x[n]",
        "g[n]*((1 + erf((x[n] + b)/1.4142))/2 + (x[n] + b)*exp(-(x[n] + b)^2/2)/2.5066)",
        "the claim has 1.4142 in place of sqrt(2), off by at most 1.4e-05 and 2.5066 in place of"
        " sqrt(2*pi), off by at most 2.9e-05",
    ),
    # Another function
    ("nets", "d loss / d z[n]", "2*(a[n] - y[n])*a[n]*(1 - a[n])/N", "the claim is right for sigmoid, not for tanh"),
    ("gate", "d loss / d x[n]", "g[n]*silu'(x[n] + b)", "the claim has silu'(x[n] + b) in place of gelu'(x[n] + b)"),
    (
        "mask",
        "d loss / d w[d]",
        "sum(t, g[t,d]*x[t,d]*leaky_relu'(w[d]*x[t,d]))",
        "the claim has leaky_relu'(w[d]*x[t,d]) in place of relu'(w[d]*x[t,d])",
    ),
    (
        "nets",
        "d loss / d w[d]",
        "2*mean(n, (a[n] - y[n])*where(z[n] > 0, 1, 0)*x[n,d])",
        "the claim is right for relu, not for tanh",
    ),
    ("density", "sigmoid'(u)", "1 - tanh(u)^2", "the claim is right for tanh, not for sigmoid"),
]
