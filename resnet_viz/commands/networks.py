"""Networks without weights: which there are, what they are made of, what training them costs."""

from ..problems import Problem
from .output import Parser, json_flag, show, table, tell


def networks(options) -> int:
    """list every network that can be built"""
    from ..networks import zoo

    rows = [{"name": n.name, "family": n.family, "params": zoo.num_params(zoo.build(n.name, device="meta")),
             "description": n.description} for n in zoo.NETWORKS.values()]
    show(options, rows, lambda: table(["name", "params", "family", "description"],
                                      [[r["name"], f"{r['params']:,}", r["family"], r["description"]] for r in rows],
                                      right={1}))
    return 0


def summary_arguments(parser: Parser) -> None:
    parser.add_argument("network")
    parser.add_argument("--num-classes", type=int)
    parser.add_argument("--heads", metavar="N,N,...", help="classes of each of several classifiers")
    parser.add_argument("--conv-bias", action="store_true")
    parser.add_argument("--variant", choices=["v1", "v1.5"])
    parser.add_argument("--shortcut", choices=["A", "B"])
    parser.add_argument("--stem", choices=["imagenet", "cifar"])
    parser.add_argument("--activation", metavar="NAME", help="relu, leaky-relu, elu, tanh or sigmoid")
    parser.add_argument("--norm", metavar="NAME", help="batch or none")
    parser.add_argument("--in-channels", type=int)
    parser.add_argument("--input-size", type=int)
    parser.add_argument("--format", choices=["text", "csv", "markdown", "latex"], default="text",
                        help="csv, markdown and latex have all columns, also receptive fields and shares")
    json_flag(parser)


def summary(options) -> int:
    """every layer of a network: shapes, parameters, multiply-adds"""
    from ..analysis import architecture
    from ..networks import zoo

    arguments = {key: getattr(options, key) for key in architecture.OPTIONS if getattr(options, key) is not None}
    if options.heads is not None:
        arguments["heads"] = architecture.heads_in(options.heads)
    if options.num_classes is not None:
        if options.heads is not None:
            raise Problem("--num-classes is for one classifier, --heads for several; give one of them.")
        arguments["heads"] = [options.num_classes]
    if options.conv_bias:
        arguments["conv_bias"] = True
    network = zoo.find(options.network)
    if options.variant == "v1" and network.spec and network.spec.block == "basic":
        raise Problem(f"{network.name} has no bottlenecks, so there is no --variant v1 of it; leave the option out.")
    size = network.input_size if options.input_size is None else options.input_size
    found = architecture.summary(options.network, arguments, size)
    show(options, architecture.to_json(found), lambda: _written(found, options.format))
    return 0


def _written(found, form: str) -> str:
    from ..analysis import table_text

    if form == "text":
        return _summary_table(found)
    return table_text.FORMATS[form](table_text.of_layers(found)).rstrip("\n")


def _summary_table(found) -> str:
    def times(shape):
        return "" if shape is None else " x ".join(f"{n:,}" for n in shape)

    rows = [[r.name, r.kind, times(r.output_shape), times(r.weight_shape), f"{r.params:,}", f"{r.macs:,}"]
            for r in found.layers]
    totals = found.totals
    return (table(["layer", "kind", "output", "weight", "params", "MACs"], rows, right={4, 5})
            + f"\n\n{totals['params']:,} parameters, {totals['macs']:,} MACs (FLOPs = 2 x MACs), "
              f"{totals['weights_bytes'] / 2**20:,.2f} MiB of weights")


def resources_arguments(parser: Parser) -> None:
    from ..analysis import resource_terminal

    resource_terminal.arguments(parser)
    json_flag(parser)


def resources(options) -> int:
    """memory that training a network takes and the largest batch that fits; exit 1 if a measured batch did not"""
    from ..analysis import resource_terminal

    document, code = resource_terminal.document(options, tell)
    show(options, document, lambda: resource_terminal.text(document, table))
    return code
