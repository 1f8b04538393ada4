"""Claims about textbook backward passes, in sizes that are names: right ones, and wrong ones that people write."""

from __future__ import annotations

PROGRAMS: dict[str, str] = {
    "softmax": """
        input y[N,K]
        param z[N,K]
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = -sum(n, k, y[n,k]*log(p[n,k])) / N
    """,
    "softmax assumed": """
        input y[N,K], x[N,D]
        param W[K,D], b[K]
        assume sum(k, y[n,k]) = 1
        z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = -sum(n, k, y[n,k]*log(p[n,k])) / N
    """,
    "labels": """
        input x[N,D]
        index y[N] in K
        param W[K,D]
        z[n,k] = sum(d, W[k,d]*x[n,d])
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = -sum(n, log(p[n,y[n]])) / N
    """,
    "stable labels": """
        index y[N] in K
        param z[N,K]
        m[n] = max(k, z[n,k])
        loss = sum(n, log(sum(k, exp(z[n,k] - m[n]))) + m[n] - z[n,y[n]]) / N
    """,
    "label smoothing": """
        index y[N] in K
        const e
        param z[N,K]
        t[n,k:K] = (1 - e)*where(y[n] == k, 1, 0) + e/K
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = -sum(n, k, t[n,k]*log(p[n,k])) / N
    """,
    "focal": """
        index y[N] in K
        param z[N,K]
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = -sum(n, (1 - p[n,y[n]])^2 * log(p[n,y[n]]))
    """,
    "layer norm": """
        input g[N,D]
        param x[N,D], gamma[D], beta[D]
        const eps
        assume eps > 0
        mu[n] = mean(d, x[n,d])
        v[n] = mean(d, (x[n,d] - mu[n])^2)
        s[n] = sqrt(v[n] + eps)
        xh[n,d] = (x[n,d] - mu[n]) / s[n]
        o[n,d] = gamma[d]*xh[n,d] + beta[d]
        loss = sum(n, d, g[n,d]*o[n,d])
    """,
    "batch norm": """
        input g[N,D]
        param x[N,D], gamma[D], beta[D]
        const eps
        assume eps > 0
        mu[d] = mean(n, x[n,d])
        v[d] = mean(n, (x[n,d] - mu[d])^2)
        xh[n,d] = (x[n,d] - mu[d]) / sqrt(v[d] + eps)
        o[n,d] = gamma[d]*xh[n,d] + beta[d]
        loss = sum(n, d, g[n,d]*o[n,d])
    """,
    "rms norm": """
        input g[N,D]
        param x[N,D], gamma[D]
        const eps
        assume eps > 0
        r[n] = sqrt(mean(d, x[n,d]^2) + eps)
        o[n,d] = gamma[d]*x[n,d]/r[n]
        loss = sum(n, d, g[n,d]*o[n,d])
    """,
    "group norm": """
        input u[N,G,C]
        param x[N,G,C]
        const eps
        assume eps > 0
        mu[n,g] = mean(c, x[n,g,c])
        s[n,g] = sqrt(mean(c, (x[n,g,c] - mu[n,g])^2) + eps)
        xh[n,g,c] = (x[n,g,c] - mu[n,g]) / s[n,g]
        loss = sum(n, g, c, u[n,g,c]*xh[n,g,c])
    """,
    "attention": """
        input g[T,E]
        param Q[T,D], K[S,D], V[S,E]
        z[t,s] = sum(d, Q[t,d]*K[s,d]) / sqrt(D)
        p[t,s] = exp(z[t,s]) / sum(r, exp(z[t,r]))
        o[t,e] = sum(s, p[t,s]*V[s,e])
        loss = sum(t, e, g[t,e]*o[t,e])
    """,
    "causal attention": """
        input g[T,E]
        param Q[T,D], K[T,D], V[T,E]
        z[t,s] = sum(d, Q[t,d]*K[s,d]) / sqrt(D)
        p[t,s] = where(s <= t, exp(z[t,s]), 0) / sum(r, where(r <= t, exp(z[t,r]), 0))
        o[t,e] = sum(s, p[t,s]*V[s,e])
        loss = sum(t, e, g[t,e]*o[t,e])
    """,
    "multi-head attention": """
        input x[T,C], g[T,C]
        param A[H,D,C], B[H,D,C], U[H,D,C], O[C,H,D]
        q[t,h,d] = sum(c, A[h,d,c]*x[t,c])
        k[t,h,d] = sum(c, B[h,d,c]*x[t,c])
        v[t,h,d] = sum(c, U[h,d,c]*x[t,c])
        z[h,t,s] = sum(d, q[t,h,d]*k[s,h,d]) / sqrt(D)
        p[h,t,s] = exp(z[h,t,s]) / sum(r, exp(z[h,t,r]))
        a[t,h,d] = sum(s, p[h,t,s]*v[s,h,d])
        o[t,c] = sum(h, d, O[c,h,d]*a[t,h,d])
        loss = sum(t, c, g[t,c]*o[t,c])
    """,
    "conv1d": """
        input g[N,F,L]
        param x[N,C,L+R-1], w[F,C,R]
        y[n,f,l:L] = sum(c, r, w[f,c,r]*x[n,c,l+r-1])
        loss = sum(n, f, l, g[n,f,l]*y[n,f,l])
    """,
    "conv1d strided": """
        input g[N,P]
        param x[N,H], w[R]
        y[n,p:P] = sum(r, w[r]*x[n,2*p+r-2])
        loss = sum(n, p, g[n,p]*y[n,p])
    """,
    "conv1d dilated": """
        input g[N,P]
        param x[N,H], w[R]
        y[n,p:P] = sum(r, w[r]*x[n,p+2*r-2])
        loss = sum(n, p, g[n,p]*y[n,p])
    """,
    "conv2d": """
        input g[N,F,P,Q]
        param x[N,C,P+R-1,Q+S-1], w[F,C,R,S], b[F]
        y[n,f,p:P,q:Q] = sum(c, r, s, w[f,c,r,s]*x[n,c,p+r-1,q+s-1]) + b[f]
        loss = sum(n, f, p, q, g[n,f,p,q]*y[n,f,p,q])
    """,
    "average pooling": """
        input g[N,P]
        param x[N,2*P]
        y[n,p:P] = mean(r:2, x[n,2*p+r-2])
        loss = sum(n, p, g[n,p]*y[n,p])
    """,
    "max pooling": """
        input g[N,P]
        param x[N,2*P]
        y[n,p:P] = max(r:2, x[n,2*p+r-2])
        i[n,p:P] = argmax(r:2, x[n,2*p+r-2])
        loss = sum(n, p, g[n,p]*y[n,p])
    """,
    "embedding": """
        input g[N,D]
        index tok[N] in V
        param E[V,D], w[D]
        e[n,d] = E[tok[n],d]
        loss = sum(n, d, g[n,d]*w[d]*e[n,d]^2)
    """,
    "rnn": """
        input x[T,D], h0[H], g[T,H]
        param W[H,D], U[H,H], b[H]
        h[0,i] = h0[i]
        z[t,i] = sum(d, W[i,d]*x[t,d]) + sum(j, U[i,j]*h[t-1,j]) + b[i]
        h[t,i] = tanh(z[t,i])
        loss = sum(t, i, g[t,i]*h[t,i])
    """,
    "linear recurrence": """
        input x[T], h0
        param a
        h[0] = h0
        h[t] = a*h[t-1] + x[t]
        loss = h[T]
    """,
    "gated": """
        input x[T,H], h0[H], g[T,H]
        param U[H,H], V[H,H]
        h[0,i] = h0[i]
        u[t,i] = sigmoid(sum(j, U[i,j]*h[t-1,j]) + x[t,i])
        c[t,i] = tanh(sum(j, V[i,j]*h[t-1,j]) + x[t,i])
        h[t,i] = (1 - u[t,i])*c[t,i] + u[t,i]*h[t-1,i]
        loss = sum(t, i, g[t,i]*h[t,i])
    """,
    "lstm": """
        input x[T,H], h0[H], c0[H], g[T,H]
        param A[H,H], B[H,H], O[H,H], G[H,H]
        h[0,k] = h0[k]
        c[0,k] = c0[k]
        i[t,k] = sigmoid(sum(j, A[k,j]*h[t-1,j]) + x[t,k])
        f[t,k] = sigmoid(sum(j, B[k,j]*h[t-1,j]) + x[t,k])
        o[t,k] = sigmoid(sum(j, O[k,j]*h[t-1,j]) + x[t,k])
        u[t,k] = tanh(sum(j, G[k,j]*h[t-1,j]) + x[t,k])
        c[t,k] = f[t,k]*c[t-1,k] + i[t,k]*u[t,k]
        h[t,k] = o[t,k]*tanh(c[t,k])
        loss = sum(t, k, g[t,k]*h[t,k])
    """,
    "contrastive": """
        param q[N,D], k[N,D]
        const tau
        assume tau > 0
        s[n,m] = sum(d, q[n,d]*k[m,d]) / tau
        p[n,m] = exp(s[n,m]) / sum(l, exp(s[n,l]))
        loss = -sum(n, log(p[n,n])) / N
    """,
    "cosine": """
        param x[D], y[D]
        a = sqrt(sum(d, x[d]^2))
        b = sqrt(sum(d, y[d]^2))
        c = sum(d, x[d]*y[d]) / (a*b)
        loss = 1 - c
    """,
    "gaussian": """
        input x[N]
        param m[N], l[N]
        loss = sum(n, l[n] + (x[n] - m[n])^2 * exp(-2*l[n]) / 2)
    """,
    "divergence": """
        param m[N,D], v[N,D]
        assume v[n,d] > 0
        loss = sum(n, d, m[n,d]^2 + v[n,d] - log(v[n,d]) - 1) / 2
    """,
    "distillation": """
        input q[N,K]
        param z[N,K]
        assume sum(k, q[n,k]) = 1
        assume q[n,k] > 0
        p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
        loss = sum(n, k, q[n,k]*log(q[n,k]/p[n,k]))
    """,
    "hinge": """
        input x[N,D], y[N]
        param w[D]
        m[n] = y[n]*sum(d, w[d]*x[n,d])
        loss = sum(n, where(m[n] < 1, 1 - m[n], 0)) / N
    """,
    "huber": """
        input x[N,D], y[N]
        param w[D]
        r[n] = sum(d, w[d]*x[n,d]) - y[n]
        loss = sum(n, where(abs(r[n]) <= 1, r[n]^2/2, abs(r[n]) - 1/2)) / N
    """,
    "relu net": """
        input x[N,D], y[N,K]
        param W1[H,D], W2[K,H]
        z1[n,h] = sum(d, W1[h,d]*x[n,d])
        a1[n,h] = relu(z1[n,h])
        z2[n,k] = sum(h, W2[k,h]*a1[n,h])
        loss = sum(n, k, (z2[n,k] - y[n,k])^2) / (2*N)
    """,
    "sigmoid net": """
        input x[N,D], y[N,K]
        param W1[H,D], b1[H], W2[H,H], b2[H], W3[K,H], b3[K]
        z1[n,h] = sum(d, W1[h,d]*x[n,d]) + b1[h]
        a1[n,h] = sigmoid(z1[n,h])
        z2[n,h] = sum(j, W2[h,j]*a1[n,j]) + b2[h]
        a2[n,h] = sigmoid(z2[n,h])
        z3[n,k] = sum(j, W3[k,j]*a2[n,j]) + b3[k]
        a3[n,k] = sigmoid(z3[n,k])
        loss = sum(n, k, (a3[n,k] - y[n,k])^2) / (N*K)
    """,
    "swiglu": """
        input x[N,D], g[N,H]
        param A[H,D], B[H,D]
        u[n,h] = sum(d, A[h,d]*x[n,d])
        v[n,h] = sum(d, B[h,d]*x[n,d])
        o[n,h] = u[n,h]*sigmoid(u[n,h])*v[n,h]
        loss = sum(n, h, g[n,h]*o[n,h])
    """,
    "gelu": """
        input g[N]
        param x[N]
        o[n] = x[n]*(1 + erf(x[n]/sqrt(2)))/2
        loss = sum(n, g[n]*o[n])
    """,
    "ridge": """
        input X[N,D], y[N]
        param w[D]
        const lam
        r[n] = sum(d, X[n,d]*w[d]) - y[n]
        loss = sum(n, r[n]^2) / N + lam*sum(d, w[d]^2)
    """,
    "determinant": """
        input B[N,N]
        param A[N,N]
        loss = logdet(A) + sum(i, j, inv(A)[i,j]*B[j,i])
    """,
}

RIGHT: tuple[tuple[str, str], ...] = (
    ("softmax", "d loss / d z[n,k] = (p[n,k]*sum(j, y[n,j]) - y[n,k]) / N"),
    ("softmax", "d p[n,k] / d z[m,j] = where(m == n, p[n,k]*(where(j == k, 1, 0) - p[n,j]), 0)"),
    ("softmax", "d loss / d z[n,k] = sum(j, adj(p[n,j])*p[n,j]*(where(j == k, 1, 0) - p[n,k]))"),
    ("softmax", "d loss / d z[n,k] = p[n,k]*(adj(p[n,k]) - sum(j, adj(p[n,j])*p[n,j]))"),
    ("softmax assumed", "d loss / d z[n,k] = (p[n,k] - y[n,k]) / N"),
    ("softmax assumed", "d loss / d W[k,d] = sum(n, (p[n,k] - y[n,k])*x[n,d]) / N"),
    ("softmax assumed", "d loss / d b[k] = mean(n, p[n,k] - y[n,k])"),
    ("softmax assumed", "d loss / d x[n,d] = sum(k, W[k,d]*(p[n,k] - y[n,k])) / N"),
    ("softmax assumed", "d loss / d W[k,d] = sum(n, adj(z[n,k])*x[n,d])"),
    ("labels", "d loss / d z[n,k] = (p[n,k] - where(y[n] == k, 1, 0)) / N"),
    ("labels", "d loss / d W[k,d] = sum(n, (p[n,k] - where(k == y[n], 1, 0))*x[n,d]) / N"),
    ("stable labels", "d loss / d z[n,k] = (exp(z[n,k])/sum(j, exp(z[n,j])) - where(y[n] == k, 1, 0)) / N"),
    ("label smoothing", "d loss / d z[n,k] = (p[n,k] - t[n,k]) / N"),
    (
        "focal",
        "d loss / d z[n,k] = (1 - p[n,y[n]])*(2*p[n,y[n]]*log(p[n,y[n]]) + p[n,y[n]] - 1)"
        "*(where(y[n] == k, 1, 0) - p[n,k])",
    ),
    (
        "layer norm",
        "d loss / d x[n,d] = (1/D)/s[n]*(D*g[n,d]*gamma[d] - sum(j, g[n,j]*gamma[j])"
        " - xh[n,d]*sum(j, g[n,j]*gamma[j]*xh[n,j]))",
    ),
    (
        "layer norm",
        "d loss / d x[n,d] = (adj(xh[n,d]) - mean(j, adj(xh[n,j])) - xh[n,d]*mean(j, adj(xh[n,j])*xh[n,j])) / s[n]",
    ),
    ("layer norm", "d loss / d gamma[d] = sum(n, g[n,d]*xh[n,d])"),
    ("layer norm", "d loss / d gamma[d] = sum(n, adj(o[n,d])*(x[n,d] - mu[n])/sqrt(v[n] + eps))"),
    ("layer norm", "d loss / d beta[d] = sum(n, g[n,d])"),
    ("layer norm", "adj(v[n]) = -sum(d, adj(xh[n,d])*(x[n,d] - mu[n])) / (2*(v[n] + eps)^(3/2))"),
    ("layer norm", "adj(mu[n]) = -sum(d, adj(xh[n,d])) / s[n]"),
    (
        "layer norm",
        "d loss / d x[n,d] = adj(xh[n,d])/s[n] + adj(v[n])*2*(x[n,d] - mu[n])/D + adj(mu[n])/D",
    ),
    ("layer norm", "d xh[n,d] / d x[n,j] = (where(d == j, 1, 0) - 1/D - xh[n,d]*xh[n,j]/D) / s[n]"),
    (
        "batch norm",
        "d loss / d x[n,d] = gamma[d]/(N*sqrt(v[d] + eps))*(N*g[n,d] - sum(m, g[m,d])"
        " - xh[n,d]*sum(m, g[m,d]*xh[m,d]))",
    ),
    (
        "batch norm",
        "d loss / d x[n,d] = gamma[d]*(v[d] + eps)^(-1/2)/N*(N*adj(o[n,d]) - sum(m, adj(o[m,d]))"
        " - (x[n,d] - mu[d])/(v[d] + eps)*sum(m, adj(o[m,d])*(x[m,d] - mu[d])))",
    ),
    ("batch norm", "d loss / d gamma[d] = sum(n, g[n,d]*xh[n,d])"),
    ("batch norm", "adj(v[d]) = -1/2*sum(n, adj(xh[n,d])*(x[n,d] - mu[d]))*(v[d] + eps)^(-3/2)"),
    (
        "rms norm",
        "d loss / d x[n,d] = (g[n,d]*gamma[d] - x[n,d]*mean(j, g[n,j]*gamma[j]*x[n,j])/r[n]^2) / r[n]",
    ),
    ("rms norm", "d loss / d gamma[d] = sum(n, g[n,d]*x[n,d]/r[n])"),
    (
        "group norm",
        "d loss / d x[n,g,c] = (C*u[n,g,c] - sum(k, u[n,g,k]) - xh[n,g,c]*sum(k, u[n,g,k]*xh[n,g,k])) / (C*s[n,g])",
    ),
    ("attention", "d loss / d V[s,e] = sum(t, p[t,s]*g[t,e])"),
    ("attention", "d loss / d z[t,s] = p[t,s]*(sum(e, g[t,e]*V[s,e]) - sum(e, g[t,e]*o[t,e]))"),
    ("attention", "d loss / d z[t,s] = p[t,s]*(adj(p[t,s]) - sum(r, p[t,r]*adj(p[t,r])))"),
    ("attention", "d loss / d Q[t,d] = sum(s, adj(z[t,s])*K[s,d]) / sqrt(D)"),
    ("attention", "d loss / d K[s,d] = sum(t, p[t,s]*(sum(e, g[t,e]*(V[s,e] - o[t,e])))*Q[t,d]) / sqrt(D)"),
    ("causal attention", "d loss / d V[s,e] = sum(t, p[t,s]*g[t,e])"),
    ("causal attention", "d loss / d z[t,s] = p[t,s]*sum(e, g[t,e]*(V[s,e] - o[t,e]))"),
    ("causal attention", "d loss / d Q[t,d] = sum(s, p[t,s]*sum(e, g[t,e]*(V[s,e] - o[t,e]))*K[s,d]) / sqrt(D)"),
    ("causal attention", "d loss / d K[s,d] = sum(t, where(s <= t, adj(z[t,s]), 0)*Q[t,d]) / sqrt(D)"),
    ("multi-head attention", "d loss / d O[c,h,d] = sum(t, g[t,c]*a[t,h,d])"),
    ("multi-head attention", "adj(v[s,h,d]) = sum(t, p[h,t,s]*adj(a[t,h,d]))"),
    (
        "multi-head attention",
        "adj(z[h,t,s]) = p[h,t,s]*sum(d, adj(a[t,h,d])*(v[s,h,d] - a[t,h,d]))",
    ),
    ("multi-head attention", "d loss / d A[h,d,c] = sum(t, s, adj(z[h,t,s])*k[s,h,d]*x[t,c]) / sqrt(D)"),
    ("conv1d", "d loss / d w[f,c,r] = sum(n, l, g[n,f,l]*x[n,c,l+r-1])"),
    ("conv1d", "d loss / d x[n,c,m] = sum(f, r, w[f,c,r]*g[n,f,m-r+1])"),
    ("conv1d", "d loss / d x[n,c,m] = sum(f, l, w[f,c,m-l+1]*g[n,f,l])"),
    ("conv1d strided", "d loss / d w[r] = sum(n, p, g[n,p]*x[n,2*p+r-2])"),
    ("conv1d strided", "d loss / d x[n,h] = sum(p, g[n,p]*w[h-2*p+2])"),
    ("conv1d dilated", "d loss / d w[r] = sum(n, p, g[n,p]*x[n,p+2*r-2])"),
    ("conv1d dilated", "d loss / d x[n,h] = sum(r, g[n,h-2*r+2]*w[r])"),
    ("conv2d", "d loss / d w[f,c,r,s] = sum(n, p, q, g[n,f,p,q]*x[n,c,p+r-1,q+s-1])"),
    ("conv2d", "d loss / d x[n,c,i,j] = sum(f, r, s, w[f,c,r,s]*g[n,f,i-r+1,j-s+1])"),
    ("conv2d", "d loss / d b[f] = sum(n, p, q, g[n,f,p,q])"),
    ("average pooling", "d loss / d x[n,i] = sum(p, r:2, where(2*p+r-2 == i, g[n,p], 0)) / 2"),
    ("average pooling", "d loss / d x[n,i] = g[n,(i-1)//2+1] / 2"),
    ("max pooling", "d loss / d x[n,j] = sum(p, where(2*p + i[n,p] - 2 == j, g[n,p], 0))"),
    ("embedding", "d loss / d E[v,d] = sum(n, where(tok[n] == v, 2*g[n,d]*w[d]*E[v,d], 0))"),
    ("embedding", "d loss / d E[v,d] = sum(n, where(tok[n] == v, adj(e[n,d]), 0))"),
    ("embedding", "d loss / d w[d] = sum(n, g[n,d]*E[tok[n],d]^2)"),
    ("rnn", "d loss / d U[i,j] = sum(t, adj(z[t,i])*h[t-1,j])"),
    ("rnn", "d loss / d W[i,d] = sum(t, adj(h[t,i])*(1 - h[t,i]^2)*x[t,d])"),
    ("rnn", "adj(z[t,i]) = adj(h[t,i])*(1 - tanh(z[t,i])^2)"),
    ("rnn", "adj(h[t,i]) = g[t,i] + sum(j, U[j,i]*adj(z[t+1,j]))"),
    ("rnn", "d loss / d h0[j] = sum(i, U[i,j]*adj(z[1,i]))"),
    ("linear recurrence", "d loss / d a = sum(t, adj(h[t])*h[t-1])"),
    ("linear recurrence", "adj(h[t]) = a^(T - t)"),
    ("linear recurrence", "d loss / d x[t] = a^(T - t)"),
    ("gated", "d loss / d V[i,j] = sum(t, adj(h[t,i])*(1 - u[t,i])*(1 - c[t,i]^2)*h[t-1,j])"),
    ("gated", "d loss / d U[i,j] = sum(t, adj(h[t,i])*(h[t-1,i] - c[t,i])*u[t,i]*(1 - u[t,i])*h[t-1,j])"),
    ("lstm", "adj(c[t,k]) = adj(h[t,k])*o[t,k]*(1 - tanh(c[t,k])^2) + adj(c[t+1,k])*f[t+1,k]"),
    ("lstm", "d loss / d B[k,j] = sum(t, adj(c[t,k])*c[t-1,k]*f[t,k]*(1 - f[t,k])*h[t-1,j])"),
    ("contrastive", "d loss / d s[n,m] = (p[n,m] - where(n == m, 1, 0)) / N"),
    ("contrastive", "d loss / d q[n,d] = (sum(m, p[n,m]*k[m,d]) - k[n,d]) / (N*tau)"),
    ("contrastive", "d loss / d k[m,d] = (sum(n, p[n,m]*q[n,d]) - q[m,d]) / (N*tau)"),
    ("cosine", "d c / d x[d] = y[d]/(a*b) - c*x[d]/a^2"),
    ("cosine", "d loss / d y[d] = (c*y[d]/b - x[d]/a) / b"),
    ("gaussian", "d loss / d m[n] = (m[n] - x[n])/exp(2*l[n])"),
    ("gaussian", "d loss / d l[n] = 1 - ((x[n] - m[n])/exp(l[n]))^2"),
    ("divergence", "d loss / d v[n,d] = (1 - 1/v[n,d])/2"),
    ("distillation", "d loss / d z[n,k] = p[n,k] - q[n,k]"),
    ("hinge", "d loss / d w[d] = -sum(n, where(m[n] < 1, y[n]*x[n,d], 0)) / N"),
    ("huber", "d loss / d w[d] = sum(n, where(abs(r[n]) <= 1, r[n], sign(r[n]))*x[n,d]) / N"),
    ("huber", "d loss / d w[d] = mean(n, x[n,d]*where(r[n] > 1, 1, where(r[n] < -1, -1, r[n])))"),
    ("relu net", "d loss / d W1[h,d] = sum(n, k, (z2[n,k] - y[n,k])*W2[k,h]*where(z1[n,h] > 0, 1, 0)*x[n,d]) / N"),
    ("relu net", "d loss / d z1[n,h] = where(a1[n,h] > 0, sum(k, W2[k,h]*adj(z2[n,k])), 0)"),
    (
        "sigmoid net",
        "d loss / d W1[h,d] = sum(n, sum(j, sum(k, 2*(a3[n,k] - y[n,k])*a3[n,k]*(1 - a3[n,k])*W3[k,j])"
        "*a2[n,j]*(1 - a2[n,j])*W2[j,h])*a1[n,h]*(1 - a1[n,h])*x[n,d]) / (N*K)",
    ),
    ("sigmoid net", "d loss / d z2[n,h] = sum(k, W3[k,h]*adj(z3[n,k]))*sigmoid'(z2[n,h])"),
    ("sigmoid net", "d loss / d b3[k] = sum(n, adj(z3[n,k]))"),
    ("swiglu", "d loss / d u[n,h] = g[n,h]*v[n,h]*sigmoid(u[n,h])*(1 + u[n,h]*(1 - sigmoid(u[n,h])))"),
    ("swiglu", "d loss / d B[h,d] = sum(n, g[n,h]*u[n,h]/(1 + exp(-u[n,h]))*x[n,d])"),
    ("gelu", "d loss / d x[n] = g[n]*((1 + erf(x[n]/sqrt(2)))/2 + x[n]*exp(-x[n]^2/2)/sqrt(2*pi))"),
    ("ridge", "d loss / d w[d] = 2/N*sum(n, X[n,d]*r[n]) + 2*lam*w[d]"),
    ("determinant", "d loss / d A[i,j] = inv(A)[j,i] - sum(k, l, inv(A)[k,i]*B[l,k]*inv(A)[j,l])"),
)

AT_STATED_SIZES: tuple[tuple[str, str, str], ...] = (
    ("linear recurrence", "d loss / d h0 = a^T", "the claim says nothing of the other steps, so there is no induction"),
)
"""Right claims that are proved at two sets of sizes only, with the reason."""

WRONG: tuple[tuple[str, str], ...] = (
    ("softmax", "d loss / d z[n,k] = (p[n,k] - y[n,k]) / N"),
    ("softmax", "d p[n,k] / d z[n,j] = p[n,k]*(1 - p[n,j])"),
    ("softmax", "d loss / d z[n,k] = adj(p[n,k])*p[n,k]*(1 - p[n,k])"),
    ("softmax assumed", "d loss / d z[n,k] = p[n,k] - y[n,k]"),
    ("softmax assumed", "d loss / d z[n,k] = (y[n,k] - p[n,k]) / N"),
    ("softmax assumed", "d loss / d W[k,d] = sum(n, (p[n,k] - y[n,k])*x[n,d])"),
    ("softmax assumed", "d loss / d x[n,d] = sum(k, W[k,d]*p[n,k]) / N"),
    ("labels", "d loss / d z[n,k] = (p[n,k] - where(y[n] == k, 0, 1)) / N"),
    ("labels", "d loss / d z[n,k] = (p[n,k] - 1) / N"),
    ("stable labels", "d loss / d z[n,k] = exp(z[n,k])/sum(j, exp(z[n,j])) - where(y[n] == k, 1, 0)"),
    ("label smoothing", "d loss / d z[n,k] = (p[n,k] - where(y[n] == k, 1, 0)) / N"),
    ("focal", "d loss / d z[n,k] = (1 - p[n,y[n]])^2*(p[n,k] - where(y[n] == k, 1, 0))"),
    (
        "layer norm",
        "d loss / d x[n,d] = (1/D)/s[n]*(D*g[n,d]*gamma[d] - xh[n,d]*sum(j, g[n,j]*gamma[j]*xh[n,j]))",
    ),
    (
        "layer norm",
        "d loss / d x[n,d] = (1/D)/s[n]*(D*g[n,d]*gamma[d] - sum(j, g[n,j]*gamma[j]))",
    ),
    ("layer norm", "d loss / d x[n,d] = g[n,d]*gamma[d]/s[n]"),
    ("layer norm", "d loss / d gamma[d] = sum(n, g[n,d]*x[n,d])"),
    ("layer norm", "adj(v[n]) = -sum(d, adj(xh[n,d])*(x[n,d] - mu[n])) / (2*(v[n] + eps)^(1/2))"),
    ("layer norm", "d loss / d beta[d] = mean(n, g[n,d])"),
    (
        "batch norm",
        "d loss / d x[n,d] = gamma[d]/(D*sqrt(v[d] + eps))*(N*g[n,d] - sum(m, g[m,d])"
        " - xh[n,d]*sum(m, g[m,d]*xh[m,d]))",
    ),
    ("batch norm", "adj(v[d]) = -1/2*sum(n, adj(xh[n,d])*(x[n,d] - mu[d]))*(v[d] + eps)^(-1/2)"),
    ("batch norm", "d loss / d gamma[d] = sum(n, g[n,d]*o[n,d])"),
    ("rms norm", "d loss / d x[n,d] = g[n,d]*gamma[d]/r[n]"),
    ("rms norm", "d loss / d x[n,d] = (g[n,d]*gamma[d] - x[n,d]*mean(j, g[n,j]*gamma[j]*x[n,j])/r[n]) / r[n]"),
    (
        "group norm",
        "d loss / d x[n,g,c] = (G*u[n,g,c] - sum(k, u[n,g,k]) - xh[n,g,c]*sum(k, u[n,g,k]*xh[n,g,k])) / (C*s[n,g])",
    ),
    ("attention", "d loss / d V[s,e] = sum(t, g[t,e])"),
    ("attention", "d loss / d Q[t,d] = sum(s, adj(z[t,s])*K[s,d])"),
    ("attention", "d loss / d z[t,s] = p[t,s]*(1 - p[t,s])*adj(p[t,s])"),
    ("attention", "d loss / d K[s,d] = sum(t, p[t,s]*(sum(e, g[t,e]*V[s,e]))*Q[t,d]) / sqrt(D)"),
    ("causal attention", "d loss / d z[t,s] = exp(z[t,s])/sum(r, exp(z[t,r]))*sum(e, g[t,e]*(V[s,e] - o[t,e]))"),
    ("causal attention", "d loss / d V[s,e] = sum(t, p[s,t]*g[t,e])"),
    ("causal attention", "d loss / d K[s,d] = sum(t, where(s >= t, adj(z[t,s]), 0)*Q[t,d]) / sqrt(D)"),
    ("multi-head attention", "d loss / d A[h,d,c] = sum(t, s, adj(z[h,t,s])*k[s,h,d]*x[s,c]) / sqrt(D)"),
    ("conv1d", "d loss / d x[n,c,m] = sum(f, r, w[f,c,r]*g[n,f,m+r-1])"),
    ("conv1d", "d loss / d w[f,c,r] = sum(n, l, g[n,f,l]*x[n,c,l+r])"),
    ("conv1d strided", "d loss / d x[n,h] = sum(p, g[n,p]*w[h-p+1])"),
    ("conv1d dilated", "d loss / d x[n,h] = sum(r, g[n,h-r+1]*w[r])"),
    ("conv2d", "d loss / d x[n,c,i,j] = sum(f, r, s, w[f,c,r,s]*g[n,f,j-s+1,i-r+1])"),
    ("conv2d", "d loss / d b[f] = sum(p, q, g[1,f,p,q])"),
    ("average pooling", "d loss / d x[n,i] = g[n,(i-1)//2+1]"),
    ("average pooling", "d loss / d x[n,i] = g[n,i//2+1] / 2"),
    ("max pooling", "d loss / d x[n,j] = sum(p, where(2*p + i[n,p] - 1 == j, g[n,p], 0))"),
    ("embedding", "d loss / d E[v,d] = sum(n, 2*g[n,d]*w[d]*E[v,d])"),
    ("embedding", "d loss / d w[d] = sum(n, g[n,d]*E[tok[n],d])"),
    ("rnn", "d loss / d U[i,j] = sum(t, adj(z[t,i])*h[t,j])"),
    ("rnn", "adj(h[t,i]) = g[t,i]"),
    ("rnn", "adj(h[t,i]) = g[t,i] + sum(j, U[i,j]*adj(z[t+1,j]))"),
    ("rnn", "d loss / d W[i,d] = sum(t, adj(h[t,i])*(1 - h[t,i])*x[t,d])"),
    ("linear recurrence", "adj(h[t]) = a^t"),
    ("linear recurrence", "d loss / d h0 = a^(T - 1)"),
    ("gated", "d loss / d V[i,j] = sum(t, adj(h[t,i])*u[t,i]*(1 - c[t,i]^2)*h[t-1,j])"),
    ("lstm", "adj(c[t,k]) = adj(h[t,k])*o[t,k]*(1 - tanh(c[t,k])^2)"),
    ("lstm", "adj(c[t,k]) = adj(h[t,k])*o[t,k]*(1 - tanh(c[t,k])^2) + adj(c[t+1,k])*f[t,k]"),
    ("contrastive", "d loss / d q[n,d] = (sum(m, p[n,m]*k[m,d]) - k[n,d]) / N"),
    ("contrastive", "d loss / d k[m,d] = (sum(n, p[m,n]*q[n,d]) - q[m,d]) / (N*tau)"),
    ("cosine", "d c / d x[d] = y[d]/(a*b)"),
    ("cosine", "d c / d x[d] = y[d]/(a*b) - c*x[d]/a"),
    ("gaussian", "d loss / d l[n] = 1 - (x[n] - m[n])^2/exp(l[n])"),
    ("divergence", "d loss / d v[n,d] = (1 - v[n,d])/2"),
    ("distillation", "d loss / d z[n,k] = q[n,k] - p[n,k]"),
    ("hinge", "d loss / d w[d] = -sum(n, y[n]*x[n,d]) / N"),
    ("hinge", "d loss / d w[d] = -sum(n, where(m[n] > 1, y[n]*x[n,d], 0)) / N"),
    ("huber", "d loss / d w[d] = sum(n, where(abs(r[n]) <= 1, r[n], 1)*x[n,d]) / N"),
    ("relu net", "d loss / d W1[h,d] = sum(n, k, (z2[n,k] - y[n,k])*W2[k,h]*x[n,d]) / N"),
    ("relu net", "d loss / d z1[n,h] = where(a1[n,h] > 0, adj(a1[n,h]), 1)"),
    ("sigmoid net", "d loss / d z2[n,h] = sum(k, W3[k,h]*adj(z3[n,k]))*sigmoid'(a2[n,h])"),
    ("sigmoid net", "d loss / d z1[n,h] = sum(j, W2[h,j]*adj(z2[n,j]))*a1[n,h]*(1 - a1[n,h])"),
    ("sigmoid net", "d loss / d b3[k] = adj(z3[1,k])"),
    ("swiglu", "d loss / d u[n,h] = g[n,h]*v[n,h]*sigmoid(u[n,h])*(1 - sigmoid(u[n,h]))"),
    ("gelu", "d loss / d x[n] = g[n]*(1 + erf(x[n]/sqrt(2)))/2"),
    ("ridge", "d loss / d w[d] = 2/N*sum(n, X[n,d]*r[n]) + lam*w[d]"),
    ("determinant", "d loss / d A[i,j] = inv(A)[i,j] - sum(k, l, inv(A)[k,i]*B[l,k]*inv(A)[j,l])"),
)
