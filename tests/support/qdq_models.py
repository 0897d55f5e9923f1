#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes small quantised ONNX models with the onnx package: qdq_models.py FOLDER.

qdq.onnx   8 bits, weights per channel, residual addition, pools, Gemm.
qcdq.onnx  4 bits, Clip between QuantizeLinear and DequantizeLinear, as Brevitas writes.
"""
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


class Model:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, dtype):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def node(self, op, inputs, **attributes):
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def quantised(self, x, scale, zero, dtype, clip=None):
        s, z = self.constant(scale, np.float32), self.constant(zero, dtype)
        q = self.node("QuantizeLinear", [x, s, z])
        if clip:
            q = self.node("Clip", [q, self.constant(clip[0], dtype), self.constant(clip[1], dtype)])
        return self.node("DequantizeLinear", [q, s, z])

    def stored(self, values, scales, dtype, axis=0):
        zeros = np.zeros(len(scales), dtype)
        return self.node("DequantizeLinear", [self.constant(values, dtype),
                                              self.constant(scales, np.float32),
                                              self.constant(zeros, dtype)], axis=axis)

    def save(self, path, x_shape, y, y_shape):
        graph = helper.make_graph(
            self.nodes, path.stem, [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, y_shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        checker.check_model(model)
        save(model, str(path))


def qdq(path):
    rng, m = np.random.default_rng(1), Model()
    weights = lambda *shape: rng.integers(-127, 128, shape)
    x = m.quantised("x", 0.05, 3, np.int8)
    w = m.stored(weights(4, 2, 3, 3), rng.uniform(0.001, 0.01, 4), np.int8)
    b = m.stored(rng.integers(-99, 99, 4), np.full(4, 0.0003), np.int32)
    y = m.node("Relu", [m.node("Conv", [x, w, b], pads=[1, 1, 1, 1])])
    y = m.quantised(y, 0.1, -128, np.int8)
    d = m.node("Conv", [y, m.stored(weights(4, 1, 3, 3), rng.uniform(0.001, 0.01, 4), np.int8)],
               pads=[1, 1, 1, 1], group=4)
    d = m.quantised(d, 0.2, 5, np.int8)
    a = m.quantised(m.node("Add", [y, d]), 0.3, -50, np.int8)
    p = m.node("MaxPool", [a], kernel_shape=[2, 2], strides=[2, 2])
    g = m.quantised(m.node("GlobalAveragePool", [p]), 0.25, -40, np.int8)
    f = m.node("Flatten", [g])
    o = m.node("Gemm", [f, m.stored(weights(3, 4), [0.01], np.int8)], transB=1)
    m.save(path, [1, 2, 6, 6], m.quantised(o, 0.3, 0, np.int8), [1, 3])


def qcdq(path):
    rng, m = np.random.default_rng(2), Model()
    x = m.quantised("x", 0.1, 0, np.uint8, (0, 15))
    w = m.quantised(m.constant(rng.uniform(-1, 1, (4, 2, 3, 3)), np.float32), 0.15, 0, np.int8, (-7, 7))
    y = m.node("Relu", [m.node("Conv", [x, w])])
    m.save(path, [1, 2, 5, 5], m.quantised(y, 0.3, 0, np.uint8, (0, 15)), [1, 4, 3, 3])


if __name__ == "__main__":
    qdq(Path(sys.argv[1]) / "qdq.onnx")
    qcdq(Path(sys.argv[1]) / "qcdq.onnx")
