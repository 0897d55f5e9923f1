// SPDX-License-Identifier: MIT
// Gradients against finite differences. A quantiser of very many steps is its own
// clip but for one step, so differences of the real operator over many steps must
// equal the straight-through gradients.
#include "quant/train/fake_quant.h"

#include <gmock/gmock.h>

#include <cmath>

#include "quant/quantise/ranges.h"
#include "quant/quantise/weights.h"
#include "quant/train/tensors.h"
#include "quant/train/torch_ops.h"
#include "quant/zoo/random.h"

namespace mcusim::train {
namespace {

using at::Tensor;

constexpr int kManyBits = 24;
constexpr double kStep = 1e-2;      // of the differences: thousands of grid steps
constexpr double kClose = 1e-3;

Tensor number(double value) { return at::full({}, value, at::kDouble); }

struct Case {
  const char* name;
  Rounding rounding;
  double low, high;
};

class Gradients : public testing::TestWithParam<Case> {
 protected:
  Gradients() {
    zoo::Random random(7);
    std::vector<double> values, weights;
    while (values.size() < 300) {
      const double x = random.real(-3, 3);
      // The clip has kinks at its ends.
      if (std::fabs(x - c.low) < 3 * kStep || std::fabs(x - c.high) < 3 * kStep) continue;
      values.push_back(x);
      weights.push_back(random.real(-1, 1));
    }
    x_ = at::tensor(values, at::kDouble);
    u_ = at::tensor(weights, at::kDouble);
  }
  Tensor loss(const Tensor& x, const Tensor& low, const Tensor& high) const {
    return (u_ * fake_quantise(x, low, high, kManyBits, c.rounding)).sum();
  }
  const Case& c = GetParam();
  Tensor x_, u_;
};

TEST_P(Gradients, OfBothRangeEndsEqualFiniteDifferences) {
  const Tensor low = number(c.low).requires_grad_(), high = number(c.high).requires_grad_();
  loss(x_, low, high).backward();
  const auto difference = [&](double at_low, double at_high) {
    return (loss(x_, number(c.low + at_low), number(c.high + at_high)) -
            loss(x_, number(c.low - at_low), number(c.high - at_high)))
               .item<double>() / (2 * kStep);
  };
  EXPECT_NEAR(low.grad().item<double>(), difference(kStep, 0), kClose);
  EXPECT_NEAR(high.grad().item<double>(), difference(0, kStep), kClose);
}

TEST_P(Gradients, OfEveryInputEqualFiniteDifferences) {
  const Tensor x = x_.clone().requires_grad_();
  loss(x, number(c.low), number(c.high)).backward();
  // All at once: element i of the output depends on element i of the input alone.
  const Tensor difference =
      u_ * (fake_quantise(x_ + kStep, number(c.low), number(c.high), kManyBits, c.rounding) -
            fake_quantise(x_ - kStep, number(c.low), number(c.high), kManyBits, c.rounding)) /
      (2 * kStep);
  EXPECT_LT((x.grad() - difference).abs().max().item<double>(), kClose);
}

INSTANTIATE_TEST_SUITE_P(Quantisers, Gradients,
                         testing::Values(Case{"pact", Rounding::floor, 0, 1.5},
                                         Case{"two_sided", Rounding::floor, -1.2, 1.9},
                                         Case{"weights", Rounding::nearest, -0.7, 1.1}),
                         [](const auto& tested) { return tested.param.name; });

TEST(FakeQuantise, LowWidthsKeepTheStraightThroughGradientsOfTheClip) {
  const Tensor x = at::tensor(std::vector<double>{-0.5, 0.1, 0.4, 1.3, 2.0}, at::kDouble).requires_grad_();
  const Tensor high = number(1.2).requires_grad_();
  fake_quantise(x, number(0), high, 2, Rounding::floor).sum().backward();
  EXPECT_EQ(high.grad().item<double>(), 2);  // 1.3 and 2.0
  const Tensor gradient = x.grad().contiguous();
  EXPECT_THAT(std::vector<double>(gradient.data_ptr<double>(), gradient.data_ptr<double>() + 5),
              testing::ElementsAre(0, 1, 1, 0, 0));
}

TEST(FakeQuantise, FloorsActivationsAsTheIntegerNetworkDoes) {
  // Steps of 0.4: 0, 0.4, 0.8, 1.2.
  const Tensor x = at::tensor(std::vector<double>{0.39, 0.4, 0.79, 1.19, 1.21, 5, -3}, at::kDouble);
  const Tensor y = fake_quantise(x, number(0), number(1.2), 2, Rounding::floor) / 0.4;
  std::vector<long> steps;
  for (int i = 0; i < 7; ++i) steps.push_back(std::lround(y.data_ptr<double>()[i]));
  EXPECT_THAT(steps, testing::ElementsAre(0, 1, 1, 2, 3, 3, 0));
}

TEST(FakeQuantise, GridsAreThoseOfTheQuantiser) {
  zoo::Random random(3);
  for (int round = 0; round < 200; ++round) {
    const auto low = static_cast<float>(random.real(-2, 0)), high = static_cast<float>(random.real(0.01, 2));
    const uint8_t bits = round % 3 == 0 ? 8 : round % 3 == 1 ? 4 : 2;
    const Grid grid = grid_of(at::full({}, low, at::kFloat), at::full({}, high, at::kFloat), bits);
    const auto affine = quantise::affine_of({low, high}, bits);
    EXPECT_EQ(grid.scale.item<float>(), affine.scale);
    EXPECT_NEAR(grid.zero_point.item<float>(), static_cast<float>(affine.zero_point), 0.5);
  }
}

TEST(FakeQuantise, ChannelsOfWeightsLandOnTheStoredValuesOfTheQuantiser) {
  zoo::Random random(4);
  std::vector<float> row(40);
  for (const uint8_t bits : {uint8_t{2}, uint8_t{4}, uint8_t{8}}) {
    for (auto& w : row) w = static_cast<float>(random.real(-0.3, 0.9));
    const auto stored = quantise::quantise_weights(row, bits, quantise::WeightMethod::min_max, false);
    const Tensor w = to_tensor(row);
    const auto grid_values = from_tensor(fake_quantise(w, w.min(), w.max(), bits, Rounding::nearest));
    for (size_t i = 0; i < row.size(); ++i)
      EXPECT_NEAR(grid_values[i], stored.scale * (stored.stored[i] - stored.zero_point), 1e-6);
  }
}

}  // namespace
}  // namespace mcusim::train
