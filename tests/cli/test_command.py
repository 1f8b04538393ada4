"""The command: results on stdout, mistakes as one line on stderr, exit codes as stated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    script = "import sys; from symbackprop.cli import main; sys.argv[0] = 'symbackprop'; main()"
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)


def test_derive_prints_text_latex_and_json() -> None:
    """The same derivation in three forms."""
    text = run("derive", "mlp:D-K", "--loss", "cross_entropy")
    latex = run("derive", "mlp:D-K", "--loss", "cross_entropy", "--notation", "matrix", "--format", "latex")
    described = run("derive", "mlp:D-K", "--format", "json")

    assert text.stdout.startswith("z1_bar[n,i] = (p[n,i] - y[n,i])/N\n")
    assert text.stderr == ""
    assert r"&= \frac{1}{N} (P - Y)" in latex.stdout
    assert json.loads(described.stdout)["wrt"] == ["W1", "b1"]


def test_scalar_notation_uses_the_names_of_the_seed() -> None:
    """w_{312} is W3[2,1], and both are printed once."""
    shown = run(
        "derive", "mlp:3-3-3-3-3", "--batch", "none", "--notation", "scalar", "--names", "seed", "--format", "latex"
    )

    assert shown.stdout.count("w_{312} = W^{(3)}_{21}") == 1
    assert r"\frac{\partial L}{\partial w_{411}} &= \delta_{41} y_{31}" in shown.stdout
    assert shown.stdout.count(r"\frac{\partial L}{\partial w_") == 36
    assert shown.stdout.count(r"\frac{\partial L}{\partial b_") == 12


@pytest.mark.parametrize(("entry", "paths"), [("W4[1,1]", 1), ("W3[1,1]", 3), ("W2[1,1]", 9)])
def test_explain_lists_every_path(entry: str, paths: int) -> None:
    """One path for a weight of the last layer, three and nine below."""
    shown = run("explain", "mlp:3-3-3-3-3", entry, "--batch", "none")

    assert shown.stdout.count("Path ") == paths
    assert "Proved" in shown.stdout


def test_explain_goes_through_the_adjoints_beyond_nine_paths() -> None:
    """Twenty-seven paths are summed up by adjoints, and listed on demand."""
    short = run("explain", "mlp:3-3-3-3-3", "W1[1,1]", "--batch", "none")
    long = run("explain", "mlp:3-3-3-3-3", "W1[1,1]", "--batch", "none", "--paths", "27")

    assert "27 paths" in short.stdout
    assert "Path " not in short.stdout
    assert "z1_bar[1]*x[1]" in short.stdout
    assert long.stdout.count("Path ") == 27


def test_explain_in_chinese_with_numbers(tmp_path: Path) -> None:
    """The words of the field in Chinese, and a number under each factor that multiplies to the product."""
    data = {"x": [0.5, -1.0], "y": [1.0], "W1": [[0.2, 0.4]], "b1": [0.1]}
    (tmp_path / "data.json").write_text(json.dumps(data), encoding="utf-8")
    shown = run(
        "explain", "mlp:2-1", "W1[1,2]", "--batch", "none", "--output", "sigmoid", "--language", "zh",
        "--at", str(tmp_path / "data.json"),
    )  # fmt: skip

    assert "链式法则" in shown.stdout
    assert "激活函数" in shown.stdout
    rows = [line for line in shown.stdout.splitlines() if line.startswith("    ")]
    numbers = [float(row.rsplit("= ", 1)[1].split()[0]) for row in rows]
    product, factors = numbers[-2], numbers[:-2]
    expected = 1.0
    for factor in factors:
        expected *= factor
    assert product == pytest.approx(expected, rel=1e-4)
    assert numbers[-1] == pytest.approx(product, rel=1e-4)


def test_mermaid_draws_the_network() -> None:
    """Nodes for the units, the paths highlighted."""
    shown = run("explain", "mlp:3-3-3-3-3", "W3[1,1]", "--batch", "none", "--format", "mermaid").stdout

    assert shown.startswith("graph LR\n")
    assert shown.count('(("a') == 12
    assert "linkStyle" in shown


@pytest.mark.parametrize(
    ("claim", "code"),
    [("claim d loss / d w = 2*w", 0), ("claim d loss / d w = w", 1), ("claim d loss / d w = w expect refuted", 0)],
)
def test_check_says_by_its_exit_code_what_it_found(tmp_path: Path, claim: str, code: int) -> None:
    """0 as claimed or expected, 1 refuted."""
    (tmp_path / "a.md").write_text(f"# a\n```symbackprop\nparam w\nloss = w^2\n{claim}\n```\n", encoding="utf-8")
    done = run("check", str(tmp_path / "a.md"))

    assert done.returncode == code
    assert f"a.md:5: {claim.removeprefix('claim ').removesuffix(' expect refuted')}" in done.stdout


def test_check_tells_undecided_and_unreadable(tmp_path: Path) -> None:
    """2 for what is undecided, 3 for what cannot be read."""
    undecided = "param w\nloss = w^2\nclaim log(w^2) = 2*log(w)"
    (tmp_path / "a.md").write_text(f"```symbackprop\n{undecided}\n```\n", encoding="utf-8")

    assert run("check", str(tmp_path / "a.md")).returncode == 2
    assert run("check", str(tmp_path / "missing.md")).returncode == 3


@pytest.mark.parametrize("target", (("numpy",), ("jax",), ("python", "--size", "N=2")), ids=lambda t: t[0])
def test_the_source_checks_itself(tmp_path: Path, target: tuple[str, ...]) -> None:
    """The module that is printed runs without symbackprop and agrees with finite differences."""
    text = run("source", "mlp:3-4-2", "--activation", "tanh", "--target", *target).stdout
    (tmp_path / "module.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-I", str(tmp_path / "module.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agrees") == 4
    imports = [
        line for line in (tmp_path / "module.py").read_text().splitlines() if line.startswith(("import", "from"))
    ]
    assert not [line for line in imports if "symbackprop" in line]


def test_train_learns_iris() -> None:
    """The report names both scores; progress stays off stdout."""
    network = ("mlp:4-8-3", "--activation", "tanh", "--loss", "cross_entropy")
    done = run("train", *network, "--data", "iris", "--epochs", "60")

    assert done.returncode == 0, done.stderr
    score = float(done.stdout.rsplit(": ", 1)[1].strip().rstrip("%"))
    assert score >= 90
    assert "accuracy on 45 unseen samples" in done.stdout


def test_train_prints_the_rule_that_runs() -> None:
    """A rule with all its parts: the equations and constants are printed, with the steps of the whole training."""
    network = ("mlp:4-8-3", "--activation", "tanh", "--loss", "cross_entropy", "--data", "iris", "--quiet")
    parts = ("--schedule", "cosine", "--warmup", "20", "--weight-decay", "0.001", "--clip-norm", "1")
    done = run("train", *network, "--epochs", "60", "--optimizer", "nesterov", "--lr", "0.05", *parts)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:10] == [
        "each step, t = 1, 2, ...:",
        "norm <- sqrt(total(g^2))",
        "kappa <- minimum(1, c/(delta + norm))",
        "g <- g*kappa",
        "g <- g + lambda*theta",
        "s <- minimum(T, maximum(1, t - T_w) - 1)",
        "eta <- eta_min + (1 + cos(pi*s/T))*(eta0 - eta_min)/2",
        "eta <- eta*minimum(1, t/T_w)",
        "m <- g + beta*m",
        "theta <- theta - eta*(g + beta*m)",
    ]
    assert "eta0 = 0.05, T = 400, eta_min = 0.0, T_w = 20, beta = 0.9, lambda = 0.001, c = 1.0" in done.stdout
    assert float(done.stdout.rsplit(": ", 1)[1].strip().rstrip("%")) >= 90


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("derive", "missing.sb"), "cannot be read"),
        (("derive", "mlp:3"), "at least the inputs and the outputs"),
        (("derive", "mlp:3-3", "--activation", "foo"), "There is no activation 'foo'"),
        (("derive", "mlp:3-3", "--wrt", "W9"), "There is no tensor 'W9'"),
        (("derive", "mlp:3-3", "--loss", "foo"), "There is no loss 'foo'"),
        (("explain", "mlp:3-3", "W1[4,1]"), "outside"),
        (("explain", "mlp:3-3", "W1[1]"), "2 axes"),
        (("train", "mlp:5-3", "--data", "iris"), "4-...-3"),
        (("train", "mlp:4-3", "--data", "nothing.csv"), "nothing.csv"),
    ],
)
def test_a_mistake_is_one_line_on_stderr(arguments: tuple[str, ...], words: str) -> None:
    """No traceback, nothing on stdout, exit status 3."""
    done = run(*arguments)

    assert done.returncode == 3
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_tour_reads_at_80_columns() -> None:
    """Every stop is there, derived and judged, and hardly a line is longer than a terminal."""
    done = run("tour")
    lines = done.stdout.splitlines()

    assert done.returncode == 0, done.stderr
    assert "z_bar[n,k] = (p[n,k] - y[n,k])/N" in done.stdout
    assert "Refuted" in done.stdout
    assert "median:" in done.stdout
    assert [line for line in lines if len(line) > 80] == []


LOGISTIC = """input X[N, D], y[N]
param w[D]
p[n] = sigmoid(sum(d, X[n,d]*w[d]))
loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--hessian", "w"), "w_bar_by_w[d,f] = sum(n, X[n,d]*X[n,f]*p[n]*(1 - p[n]))"),
        (("--hessian", "w", "--notation", "matrix", "--format", "latex"), r"X^{\top} \operatorname{diag}(p"),
        (("--product", "hvp"), "w_bar_dot[d] = sum(n, X[n,d]*p_dot[n])"),
        (("--product", "jvp"), "loss_dot"),
        (("--product", "vjp"), "loss_cotangent"),
        (("--hessian", "q"), "Nothing was derived by 'q'; gradients are by w."),
        (("--hessian", "w", "--product", "jvp"), "--hessian and --product are two questions; ask one of them."),
    ],
)
def test_higher_orders(tmp_path: Path, options: tuple[str, ...], expected: str) -> None:
    """Hessians and products with vectors come from the command line too."""
    source = tmp_path / "logistic.txt"
    source.write_text(LOGISTIC)
    result = run("derive", str(source), *options)
    assert expected in result.stdout + result.stderr
    assert result.returncode == (0 if "q" not in options and "jvp" not in options[2:] else result.returncode)


CONVOLUTION = "input x[N], y[N]\nparam w[R]\nz[p:N] = sum(r, w[r]*x[p+r-2])\nloss = sum(p, (z[p] - y[p])^2)\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "text"), "x_bar[n:N] = sum(r, z_bar[n-r+2]*w[r])"),
        (("--format", "latex"), r"\sum_{r=1}^{R} \delta_{n-r+2} w_{r}"),
        (("--format", "markdown"), r"\sum_{r=1}^{R} \delta_{n-r+2} w_{r}"),
        (("--format", "latex", "--notation", "scalar", "--size", "N=3", "--size", "R=2"), r"\delta_{3} w_{1}"),
        (("--format", "json"), "x_bar[n:N] = sum(r, z_bar[n-r+2]*w[r])"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_derive_prints_a_convolution_in_every_form(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """The adjoint of a convolution is the correlation with the flipped filter."""
    path = tmp_path / "convolution.txt"
    path.write_text(CONVOLUTION, encoding="utf-8")
    shown = run("derive", str(path), "--wrt", "w,x", *arguments)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert said in shown.stdout


def test_explain_takes_integer_data(tmp_path: Path) -> None:
    """The rows of an embedding that tokens read, with numbers; a token out of its range is one line on stderr."""
    path, data = tmp_path / "embedding.txt", tmp_path / "data.json"
    path.write_text("index tok[N] in V\nparam E[V]\nloss = sum(n, E[tok[n]]^2)\n", encoding="utf-8")
    data.write_text(json.dumps({"tok": [2, 1, 2], "E": [1.0, 3.0]}), encoding="utf-8")
    shown = run("explain", str(path), "E[2]", "--at", str(data))
    data.write_text(json.dumps({"tok": [2, 1, 3], "E": [1.0, 3.0]}), encoding="utf-8")
    wrong = run("explain", str(path), "E[2]", "--at", str(data))

    assert "= 12" in shown.stdout
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert wrong.stderr == "DataError: tok holds 3; its entries are 1 to 2.\n"


def test_mistakes_in_index_programs_are_one_line(tmp_path: Path) -> None:
    """No traceback for a recurrence that reads both ways."""
    path = tmp_path / "both.txt"
    path.write_text("input x[T]\nh[t] = h[t-1] + h[t+1] + x[t]\nloss = h[1]\n", encoding="utf-8")
    shown = run("derive", str(path))

    assert (shown.returncode, shown.stdout) == (3, "")
    assert shown.stderr.startswith("CycleError: line 2: found h in a circle of definitions")
    assert shown.stderr.count("\n") == 1


def test_derive_reads_a_matrix_expression() -> None:
    """A text and shapes in place of a file; a vector or a scalar has its shape too."""
    shapes = ("--shape", "X=N,N", "--shape", "a=N", "--shape", "b=N", "--shape", "c=")
    given = ("derive", "--matrix", "c*a'*inv(X)*b", *shapes, "--param", "X")
    latex = run(*given, "--notation", "matrix", "--format", "latex")
    hessian = run("derive", "--matrix", "tr(X'*X)", "--shape", "X=N,D", "--param", "X", "--hessian", "X")

    assert latex.stderr == ""
    assert r"\frac{\partial L}{\partial X} &= -c X^{-\top} a b^{\top} X^{-\top}" in latex.stdout
    assert hessian.stdout == "X_bar_by_X[j:N,i:D,k:N,m:D] = where(i == m and j == k, 2, 0)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--matrix", "X*X", "--shape", "X=N,D"), "as many columns on the left as rows on the right"),
        (("--matrix", "tr(X)", "--shape", "X"), "--shape X is no shape"),
        (("--matrix", "tr(X)", "--shape", "X=N,N", "--param", "Y"), "The parameter 'Y' has no shape"),
        (("mlp:3-3", "--matrix", "tr(X)", "--shape", "X=N,N"), "takes the place of mlp:3-3"),
        (("mlp:3-3", "--shape", "X=N,N"), "go with a matrix expression"),
        (("--matrix", "tr(X)", "--shape", "X=N,N", "--loss", "mse"), "go with a network"),
        ((), "Give a SOURCE"),
    ],
)
def test_mistakes_with_matrix_expressions_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    """What does not fit together is said, without a traceback."""
    result = run("derive", *arguments)

    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_check_backward_runs_the_code_and_exits_with_the_verdict(tmp_path: Path) -> None:
    """0, 1, 2 and 3 are proved, refuted, undecided and unreadable, and it is said that the code is run."""
    module = tmp_path / "layers.py"
    module.write_text(
        "import numpy as np\n"
        "def forward(x, w):\n"
        "    print('noise')\n"
        "    return x @ w, (x, w)\n"
        "def backward(dout, cache):\n"
        "    x, w = cache\n"
        "    return dout @ w.T, x.T @ dout\n"
        "def forgets(dout, cache):\n"
        "    x, w = cache\n"
        "    return dout @ w.T, dout.T @ x\n"
        "def case(x):\n"
        "    return np.random.rand() * x, 1, {'x': x}\n"
        "class Layer:\n"
        "    def forward(self, x, w):\n"
        "        return forward(x, w)\n"
        "layer = Layer()\n",
        encoding="utf-8",
    )
    shapes = ("--shape", "x=2,3", "--shape", "w=3,2")
    proved = run("check-backward", f"{module}:forward,backward", *shapes)
    refuted = run("check-backward", f"{module}:forward,forgets", *shapes)
    undecided = run("check-backward", f"{module}:case", "--shape", "x=3")
    unreadable = run("check-backward", f"{module}:nothing", "--shape", "x=3")
    method = run("check-backward", f"{module}:layer.forward,backward", *shapes)
    forgotten = run("check-backward", f"{module}:forward,backward", *shapes[:2])

    assert (method.returncode, method.stdout) == (0, proved.stdout)
    assert forgotten.returncode == 3
    assert "missing a required argument: 'w'" in forgotten.stderr
    assert (proved.returncode, refuted.returncode, undecided.returncode, unreadable.returncode) == (0, 1, 2, 3)
    assert proved.stdout == "Proved for the shapes x=(2, 3), w=(3, 2) and x=(3, 4), w=(4, 2).\n"
    assert "Running the code of" in proved.stderr
    assert "it is transposed" in refuted.stdout
    assert "layers.py:12: `return np.random.rand() * x" in undecided.stdout
    assert unreadable.stderr.splitlines()[-1].endswith("has no function nothing.")


@pytest.mark.parametrize("seconds", ["nan", "-1", "0"])
def test_check_backward_takes_no_time_that_is_none(seconds: str, tmp_path: Path) -> None:
    """It ends as for a shape that cannot be read."""
    module = tmp_path / "layer.py"
    module.write_text("def forward(x):\n    return x, None\n\ndef backward(dout, cache):\n    return dout\n")
    refused = run("check-backward", f"{module}:forward,backward", "--shape", "x=3", "--seconds", seconds)

    assert refused.returncode == 3
    assert "seconds is a positive number" in refused.stderr


def test_check_backward_never_passes_code_that_ends_the_process(tmp_path: Path) -> None:
    """`sys.exit(0)` in the module or in its functions is the exit code for what cannot be read, with the line."""
    inside = tmp_path / "inside.py"
    inside.write_text("import sys\ndef f(x):\n    return x * 2, x\ndef b(d, x):\n    sys.exit(0)\n", encoding="utf-8")
    above = tmp_path / "above.py"
    above.write_text("import sys\ndef f(x):\n    return x, 1, {'x': x}\nsys.exit(0)\n", encoding="utf-8")

    runs = [
        run("check-backward", f"{inside}:f,b", "--shape", "x=3"),
        run("check-backward", f"{above}:f", "--shape", "x=3"),
        run("check-backward", f"{inside}:f,b", "--shape", "x=3", "--shape", "x=2"),
        run("check-backward", str(inside), "--shape", "x=3"),
    ]

    assert [each.returncode for each in runs] == [3, 3, 3, 3]
    texts = [each.stderr for each in runs]
    assert "the code ends the process" in texts[0]
    assert "ends the process while it is imported" in texts[1]
    assert "--shape x is given twice" in texts[2]
    assert "Running the code of ." not in texts[3]


def test_check_says_why_it_is_not_content(tmp_path: Path) -> None:
    """A file without a claim, and a proof that --strict does not accept, are named on stderr."""
    (tmp_path / "none.md").write_text("```python\nx = 1\n```\n", encoding="utf-8")
    program = "input x[T]\nparam u, w\nh[t] = tanh(u*h[t-1] + w*x[t])\nloss = sum(t, h[t]^2)/2"
    claim = "claim d loss / d u = sum(t, adj(h[t])*(1 - h[t]^2)*h[t-1])"
    (tmp_path / "sizes.md").write_text(f"```symbackprop\n{program}\n{claim}\n```\n", encoding="utf-8")
    empty = run("check", str(tmp_path / "none.md"))
    strict = run("check", str(tmp_path / "sizes.md"), "--strict")

    assert (empty.returncode, "no claim was found" in empty.stderr) == (0, True)
    assert (strict.returncode, "sizes.md:6: proved at certain sizes only" in strict.stderr) == (2, True)
