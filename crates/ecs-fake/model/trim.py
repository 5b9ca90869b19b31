"""Makes ecs-2014-11-13.json from botocore: the shapes of the operations that
the fake has, without their documentation. Run where botocore is installed."""

import json
import pathlib

import botocore
import botocore.loaders

OPERATIONS = [
    "CreateCluster", "DescribeCapacityProviders", "DescribeClusters", "DescribeTaskDefinition",
    "DescribeTasks", "ListTagsForResource", "ListTasks", "PutClusterCapacityProviders",
    "RegisterTaskDefinition", "RunTask", "StopTask", "TagResource",
]
KEPT = ("type", "required", "members", "member", "key", "value", "enum", "max", "min", "pattern", "shape")

model = botocore.loaders.Loader().load_service_model("ecs", "service-2")
shapes, wanted = {}, []


def kept(node):
    return {k: kept(v) if isinstance(v, dict) else v for k, v in node.items() if k in KEPT}


def trimmed(shape):
    members = {name: {"shape": member["shape"]} for name, member in shape.get("members", {}).items()}
    return {**kept(shape), **({"members": members} if "members" in shape else {})}


def take(name):
    if name not in shapes:
        shapes[name] = trimmed(model["shapes"][name])
        parts = [*shapes[name].get("members", {}).values(), *(shapes[name].get(k) for k in ("member", "key", "value"))]
        for part in parts:
            if part:
                take(part["shape"])


operations = {}
for name in OPERATIONS:
    operation = model["operations"][name]
    errors = [error["shape"] for error in operation["errors"]]
    operations[name] = {"input": operation["input"]["shape"], "output": operation["output"]["shape"], "errors": errors}
    for shape in (operations[name]["input"], operations[name]["output"], *errors):
        take(shape)

lines = lambda entries: ",\n".join(f"{json.dumps(k)}:{json.dumps(entries[k], separators=(',', ':'))}" for k in sorted(entries))
head = {
    "source": f"botocore {botocore.__version__}, data/ecs/2014-11-13/service-2.json, trimmed by trim.py",
    "license": "Apache-2.0; Copyright Amazon.com, Inc. or its affiliates",
}
text = json.dumps(head, indent=0)[:-2] + ',\n"operations":{\n' + lines(operations) + '\n},\n"shapes":{\n' + lines(shapes) + "\n}\n}\n"
json.loads(text)
pathlib.Path(__file__).with_name("ecs-2014-11-13.json").write_text(text)
