"""The `symbackprop` command: every subcommand reads a source, calls the package and prints what it returns."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
import numpy as np

import symbackprop as sb
from symbackprop.cli.learning import OPTIMIZER_NAMES, Recipe, count_steps, describe, read_data_set
from symbackprop.cli.sources import read_data, read_network, read_source, read_source_or_matrix
from symbackprop.cli.tour import run_tour
from symbackprop.cli.user_code import load_functions, read_shapes
from symbackprop.facade.experiments import learn
from symbackprop.proof.judges import judge_document
from symbackprop.report.judgements import (
    exit_code,
    exit_code_of_verdict,
    find_loose,
    find_silent,
    write_json,
    write_junit,
    write_text,
)

Command = Callable[..., Any]


def network_options(command: Command) -> Command:
    """The options that describe a network given as `mlp:3-3-3`."""
    for option in reversed(
        (
            click.option("--activation", help="Activation of the hidden layers (default sigmoid)."),
            click.option("--output", help="Activation of the last layer (default identity)."),
            click.option("--loss", help="A loss of the catalogue, as cross_entropy or huber:delta=2 (default mse)."),
            click.option(
                "--batch", metavar="NAME|none", help="Name of the batch size, or none for one sample (default N)."
            ),
        )
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(sb.__version__, prog_name="symbackprop")
def command() -> None:
    """Derive, show, judge and run the gradients of a network written as formulas.

    SOURCE is a file in the formula language (or Markdown with symbackprop fences), a network such as mlp:3-3-3-3-3, or
    an entry of the catalogue such as catalogue:gelu.
    """


@command.command()
def tour() -> None:
    """The main job, on what ships with the package: derive, explain, judge, train."""
    run_tour(click.echo)


@command.command("catalogue")
@click.option("--kind", type=click.Choice(["function", "layer", "loss"]), help="Only the entries of this kind.")
def show_catalogue(kind: str | None) -> None:
    """What is known by name: every scalar function, layer and loss, with its source.

    `symbackprop derive catalogue:NAME` derives one.
    """
    entries = [entry for entry in sb.catalogue() if kind in (None, entry.kind)]
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        click.echo(f"{entry.kind:<8}  {entry.name:<{width}}  {entry.source}")


@command.command()
@click.argument("source", required=False)
@network_options
@click.option("--matrix", metavar="TEXT", help='A matrix expression in place of SOURCE, such as "tr(A*X*B)".')
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="X=N,D",
    help="The shape of a tensor of --matrix: X=N,D, x=N, or c= for a scalar; repeat it for more.",
)
@click.option("--param", "params", multiple=True, metavar="X", help="A parameter of --matrix; repeat it for more.")
@click.option("--wrt", help="Differentiate by these tensors, separated by commas (default: the parameters).")
@click.option("--of", help="Differentiate this tensor (default: the loss).")
@click.option("--hessian", metavar="W[,B]", help="The second derivative by W, or by W and then by B.")
@click.option(
    "--product",
    type=click.Choice(["jvp", "vjp", "hvp"]),
    help="The Jacobian times a vector, a vector times the Jacobian, the Hessian times a vector.",
)
@click.option("--notation", type=click.Choice(["index", "matrix", "scalar"]), default="index", show_default=True)
@click.option("--layout", type=click.Choice(["batch", "column"]), default="batch", show_default=True)
@click.option("--names", type=click.Choice(["seed"]), help="Write W3[1,1] as w_{311}.")
@click.option("--size", "sizes", multiple=True, metavar="N=2", help="A size, for scalar notation; repeat it for more.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex", "markdown", "html", "json"]),
    default="text",
    show_default=True,
)
def derive(
    source: str | None,
    activation: str | None,
    output: str | None,
    loss: str | None,
    batch: str | None,
    matrix: str | None,
    shapes: tuple[str, ...],
    params: tuple[str, ...],
    wrt: str | None,
    of: str | None,
    hessian: str | None,
    product: str | None,
    notation: str,
    layout: str,
    names: str | None,
    sizes: tuple[str, ...],
    form: str,
) -> None:
    """Derive the gradients of SOURCE, or of a matrix expression, and print them."""
    derivation = sb.derive(
        read_source_or_matrix(source, matrix, shapes, params, (activation, output, loss, batch)),
        wrt=None if wrt is None else [w.strip() for w in wrt.split(",")],
        of=of,
    )
    if hessian is not None and product is not None:
        raise sb.ArgumentError("--hessian and --product are two questions; ask one of them.")
    if hessian is not None:
        derivation = derivation.hessian(*(part.strip() for part in hessian.split(",", 1)))
    elif product is not None:
        products = {"jvp": derivation.jvp, "vjp": derivation.vjp, "hvp": derivation.hvp}
        derivation = products[product]()
    if form == "text":
        click.echo(derivation.text())
    elif form == "json":
        click.echo(json.dumps(derivation.describe(), indent=2, ensure_ascii=False))
    else:
        writers = {"latex": derivation.latex, "markdown": derivation.markdown, "html": derivation.html}
        click.echo(writers[form](notation, layout, names, _read_sizes(sizes)))


@command.command()
@click.argument("source")
@click.argument("entry")
@network_options
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--at", metavar="DATA.json", help="Put the numbers of these arrays under each factor.")
@click.option(
    "--paths", type=click.IntRange(1), default=9, show_default=True, help="Beyond so many, go through the adjoints."
)
@click.option("--names", type=click.Choice(["seed"]), help="Write W3[1,1] as w_{311}.")
@click.option(
    "--format", "form", type=click.Choice(["text", "latex", "markdown", "mermaid"]), default="text", show_default=True
)
def explain(
    source: str,
    entry: str,
    activation: str | None,
    output: str | None,
    loss: str | None,
    batch: str | None,
    language: str,
    at: str | None,
    paths: int,
    names: str | None,
    form: str,
) -> None:
    """The chain rule path by path for one ENTRY of SOURCE, such as 'W3[1,1]'."""
    derivation = sb.derive(read_source(source, activation, output, loss, batch))
    data = None if at is None else read_data(at)
    explanation = derivation.explain(entry, language=language, at=data, limit=paths, names=names)
    writers = {
        "text": explanation.text,
        "latex": explanation.latex,
        "markdown": explanation.markdown,
        "mermaid": explanation.mermaid,
    }
    click.echo(writers[form]())


@command.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE.md...")
@click.option("--strict", is_flag=True, help="Not proved for all sizes, or no claim: undecided.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True, help="Output."
)
def check(files: tuple[str, ...], strict: bool, form: str) -> None:
    """Judge every claim of Markdown files.

    Exits with 0 if all is as claimed or expected, 1 if something is refuted, 2 if something is undecided, 3 if a file
    cannot be read. A file without a claim is named on stderr. With --strict, it exits with 2 for such a file and for a
    proof that is not for all sizes.
    """
    documents = [judge_document(path) for path in files]
    for document in documents:
        for error in document.errors:
            said = str(error) if document.path in str(error) else f"{document.path}: {error}"
            click.echo(f"{type(error).__name__}: {said}", err=True)
    for path in find_silent(documents):
        click.echo(f"{path}: no claim was found, in a `symbackprop` fence or behind <!-- sb: claim -->.", err=True)
    if strict:
        for path, line in find_loose(documents):
            click.echo(f"{path}:{line}: proved at certain sizes only; --strict asks for a proof for all.", err=True)
    click.echo({"text": write_text, "json": write_json, "junit": write_junit}[form](documents))
    sys.exit(exit_code(documents, strict))


@command.command("check-backward")
@click.argument("code", metavar="MODULE.py:forward,backward")
@click.option("--shape", "shapes", multiple=True, metavar="x=2,3", help="The shape of an input; repeat it for more.")
@click.option(
    "--data", metavar="DATA.json", help="What is not differentiated, such as labels, as a JSON object by name."
)
@click.option("--seconds", type=float, default=10, show_default=True, help="The time for each choice of shapes.")
def check_backward(code: str, shapes: tuple[str, ...], data: str | None, seconds: float) -> None:
    """Judge a backward written by hand in NumPy. THIS RUNS THE CODE of MODULE.py, as importing it would.

    MODULE.py:forward,backward names a forward that returns (out, cache) and a backward that takes (dout, cache);
    MODULE.py:case one function that returns (output, upstream, {name: gradient}).

    Exits with 0 if it is proved, 1 if it is refuted, 2 if it is undecided, 3 if the code or a shape cannot be read.
    """
    fixed = read_shapes(shapes)
    if ":" in code:
        click.echo(f"Running the code of {code.rpartition(':')[0]}.", err=True)
    functions = load_functions(code)
    given = {} if data is None else {name: np.asarray(value) for name, value in read_data(data).items()}
    verdict = sb.verify_backward(*functions, shapes=fixed, data=given, seconds=seconds)
    click.echo(str(verdict))
    sys.exit(exit_code_of_verdict(verdict))


@command.command()
@click.argument("source")
@network_options
@click.option(
    "--target", type=click.Choice(["numpy", "fused", "jax", "torch", "python"]), default="numpy", show_default=True
)
@click.option("--size", "sizes", multiple=True, metavar="N=2", help="A size, for --target python; repeat it for more.")
def source(
    source: str,
    activation: str | None,
    output: str | None,
    loss: str | None,
    batch: str | None,
    target: str,
    sizes: tuple[str, ...],
) -> None:
    """Print a Python module that computes SOURCE and its gradients without symbackprop."""
    derivation = sb.derive(read_source(source, activation, output, loss, batch))
    click.echo(derivation.source(target, _read_sizes(sizes)), nl=False)


@command.command()
@click.argument("source")
@network_options
@click.option("--data", required=True, metavar="iris|digits|FILE.csv|FILE.npz", help="What to learn.")
@click.option("--target", "column", help="The column of a CSV file that holds what to predict (default: the last).")
@click.option("--optimizer", type=click.Choice(OPTIMIZER_NAMES), default="adam", show_default=True)
@click.option("--lr", type=float, help="The learning rate (default 0.01).")
@click.option(
    "--schedule",
    metavar="NAME[:NUMBER,...]",
    help="How the rate falls: cosine[:STEPS,LEAST], polynomial_decay[:STEPS,POWER], step_decay:EVERY[,FACTOR], "
    "exponential_decay:FACTOR, inverse_sqrt:WARMUP; a step is one batch (default STEPS: the whole training).",
)
@click.option("--warmup", type=click.IntRange(1), help="Steps in which the rate climbs on a line.")
@click.option("--weight-decay", type=float, help="Adds this times each parameter to its gradient (adamw: shrinks it).")
@click.option("--clip-norm", type=float, help="The largest norm of all gradients together.")
@click.option("--epochs", type=click.IntRange(1), default=100, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=16, show_default=True)
@click.option(
    "--test-fraction", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.3, show_default=True
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--checkpoint", metavar="FILE.npz", help="Write the state after each epoch, and go on from it.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def train(
    source: str,
    activation: str | None,
    output: str | None,
    loss: str | None,
    batch: str | None,
    data: str,
    column: str | None,
    optimizer: str,
    lr: float | None,
    schedule: str | None,
    warmup: int | None,
    weight_decay: float | None,
    clip_norm: float | None,
    epochs: int,
    batch_size: int,
    test_fraction: float,
    seed: int,
    checkpoint: str | None,
    quiet: bool,
) -> None:
    """Train the network SOURCE, such as mlp:4-8-3, with the gradients derived for it."""
    network = read_network(source, activation, output, loss, batch)
    table = read_data_set(data, column)
    test_size = round(test_fraction * len(table.x))
    recipe = Recipe(optimizer, lr, schedule, warmup, weight_decay, clip_norm)
    rule = recipe.make(count_steps(len(table.x) - test_size, batch_size, epochs))
    experiment = learn(
        network,
        table,
        rule,
        epochs,
        batch_size=batch_size,
        test_size=test_size,
        seed=seed,
        checkpoint=checkpoint,
        progress=not quiet,
    )
    click.echo(f"each step, t = 1, 2, ...:\n{rule.text()}")
    click.echo(describe(experiment))


def _read_sizes(sizes: tuple[str, ...]) -> dict[str, int] | None:
    made: dict[str, int] = {}
    for text in sizes:
        name, equals, value = text.partition("=")
        if not equals or not value.strip().isdecimal():
            raise click.BadParameter(f"{text!r} is not a size such as N=2.")
        made[name.strip()] = int(value)
    return made or None


def main() -> None:
    """Run the command; a user's mistake is one line on stderr and exit status 3, never a traceback."""
    try:
        command.main(prog_name="symbackprop", standalone_mode=True)
    except sb.SymBackpropError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(3)
