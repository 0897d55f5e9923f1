// SPDX-License-Identifier: MIT
// A perceptron of two hidden layers with ReLU and one output, plain or through a
// sigmoid, trained by Adam: the actor and the critic of the bit-width search. Small
// enough that no library is worth its installation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quant/zoo/random.h"

namespace mcusim::search {

class Mlp {
 public:
  // Weights uniform in +-1/sqrt(inputs of the layer); the last layer in +-0.003 (as
  // Lillicrap et al., arXiv 1509.02971, section 7).
  Mlp(size_t inputs, size_t hidden, bool sigmoid, zoo::Random& random);

  // One output per row of `rows` [n][inputs]; remembered for backward().
  const std::vector<float>& forward(const std::vector<float>& rows);
  // From dLoss/dOutput of the last forward(): adds to the gradients, returns dLoss/dInput.
  std::vector<float> backward(const std::vector<float>& output_gradients);
  void update(double rate);  // one Adam step on the gradients, which are then 0
  void discard_gradients();
  // this += part * (source - this)
  void follow(const Mlp& source, double part);

  size_t parameter_count() const;
  float& parameter(size_t index);        // in a fixed order, for tests
  float gradient(size_t index) const;

 private:
  struct Dense {
    size_t in = 0, out = 0;
    std::vector<float> w, dw, m, v;  // weights [in][out], then biases [out]
    std::vector<float> x, y;         // of the last forward
    void forward();
    std::vector<float> backward(const std::vector<float>& dy);
  };
  bool sigmoid_;
  uint64_t updates_ = 0;
  std::vector<Dense> layers_;
};

}  // namespace mcusim::search
