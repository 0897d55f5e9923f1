// SPDX-License-Identifier: MIT
// See core_estimator.h. A run takes the quick way when every access is a hit, nothing
// is under way in the memory system and the code is resident: then its cost is its
// memoised schedule. Otherwise its accesses are played in order at their cycles, and
// each stall freezes the pipeline (it adds cycles without changing the schedule).
#include "sim/timing/core_estimator.h"

#include <algorithm>
#include <optional>

#include "memmap/base/error.h"
#include "sim/decode/block_table.h"
#include "sim/timing/carried.h"
#include "sim/timing/memo.h"
#include "sim/timing/memory_state.h"
#include "sim/timing/round.h"

namespace mcusim {
namespace {

using namespace timing;

class CoreEstimator final : public Estimator {
 public:
  CoreEstimator(const Board& board, const EstimatorOptions& options)
      : options_(options),
        parameters_(load_parameters(board, options.guesses)),
        now_{MemorySystem(board, parameters_),
             Predictor(parameters_.btac_entries, parameters_.return_stack),
             {},
             0,
             0,
             nullptr,
             false} {
    now_.state = memo_->state_id(PipeState{});
  }

  void attach(TimedSink* sink) override { sink_ = sink; }
  void observe(MemoryObserver* observer) override { now_.memory.observe(observer); }
  uint64_t now() const override { return now_.cycle; }
  std::string table_hash() const override {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : table_text() + parameters_text(parameters_))
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    return fmt::format("{:016x}", hash);
  }
  uint32_t guess_count() const override {
    uint32_t count = parameters_.guesses;
    for (const TimingRow& row : timing_rows()) count += row.high != 0;
    return count;
  }
  const CauseCycles& totals() const override {
    totals_ = other_totals_;
    memo_->add_totals(totals_);
    return totals_;
  }

  std::pair<uint64_t, uint64_t> range() const override {
    Spread spread = other_spread_;
    memo_->add_spread(spread);
    spread.below += now_.memory.spread().below;
    spread.above += now_.memory.spread().above;
    double cycles = 0;
    for (const uint64_t of_cause : totals()) cycles += static_cast<double>(of_cause);
    return {static_cast<uint64_t>(std::max(0.0, cycles - spread.below)),
            static_cast<uint64_t>(cycles + spread.above)};
  }

  void block_defined(const trace::BlockInfo& info) override;
  void run(const trace::BlockRun& run) override;
  void repeat(std::span<const trace::BlockRun> loop, uint64_t times) override;
  uint64_t steady_cycles() const override { return steady_cycles_; }
  void mark(const trace::Mark& mark) override {
    if (sink_) sink_->mark(mark, now_.cycle);
  }
  void control(const trace::Control& control) override;
  void exception(const trace::Exception& exception) override;
  std::vector<uint8_t> state() const override;
  void window_start(const trace::WindowStart& start) override;
  uint64_t ahead(const DecodedBlock& block, std::span<const trace::Access> accesses,
                 uint32_t instruction) const override;

 private:
  Block& known(uint32_t id) {
    if (id >= blocks_.size()) throw Error("timing: block {} was never defined", id);
    return *blocks_[id];
  }
  // What a state holds besides the cycle.
  struct Snapshot {
    Carried carried;
    PipeState pipe;
    bool has_last;
    Instruction last;
    template <typename Archive>
    void carry(Archive& archive) {
      carried.carry(archive);
      archive.value(pipe);
      archive.flag(has_last);
      timing::carry(archive, last);
    }
  };
  Snapshot snapshot() const {
    return {now_, memo_->state(now_.state), now_.last != nullptr, now_.last ? *now_.last : Instruction{}};
  }
  void restart_memo();
  void emit(const TimedRun& run) {
    sink_->timed(run);
    if (round_) round_->add(run);
  }
  void used(MemoEntry& entry) {
    ++entry.uses;
    if (round_) round_->used.push_back(&entry);
  }
  // A run whose whole block has one schedule that is memoised.
  void repeat(Block& block, const trace::BlockRun& run, MemoEntry& found, Entry entry, bool fetched,
              bool quick);
  void play(Block& block, const trace::BlockRun& run, Entry entry, size_t count, bool fetched,
            const uint32_t* issue, uint64_t& cycles);

  EstimatorOptions options_;
  Parameters parameters_, low_, high_;
  BlockTable table_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::unique_ptr<Memo> memo_ = std::make_unique<Memo>();
  Carried now_;
  Spread other_spread_;                // likewise
  CauseCycles other_totals_{};         // all but memoised schedules in use
  mutable CauseCycles totals_{};
  uint64_t schedules_ = 0;             // numbers given
  Instruction before_window_;          // executed before it, see Carried::last
  TimedSink* sink_ = nullptr;
  std::vector<InstructionCycles> parts_, stalls_;
  std::vector<Variation> variations_;
  std::vector<uint32_t> issue_;
  std::optional<Round> round_;         // while repeat() looks at one
  uint64_t steady_cycles_ = 0;
};

void CoreEstimator::block_defined(const trace::BlockInfo& info) {
  auto block = make_block(table_.define(info));
  block->free_fetch = now_.memory.fetch_is_free(block->decoded->address);
  blocks_.push_back(std::move(block));
}

void CoreEstimator::run(const trace::BlockRun& run) {
  Block& block = known(run.block);
  const size_t count = run.instructions;
  if (count > block.ops.ops.size())
    throw Error("timing: run of {} instructions of a block of {}", count, block.ops.ops.size());
  if (count == 0) return;
  const uint64_t start = now_.cycle;
  const Entry entry = now_.enter(block);
  if (entry == Entry::redirected) {
    other_spread_.below += static_cast<double>(parameters_.redirect - low_.redirect);
    other_spread_.above += static_cast<double>(high_.redirect - parameters_.redirect);
  }
  const bool fetched = block.free_fetch || (block.resident == now_.memory.instruction_generation());
  variations_.assign(block.segments.size(), {});
  const bool quick =
      now_.survey(block, count, run.accesses, variations_.data()) && fetched && !block.has_barrier;

  Segment& front = block.segments.front();
  if (options_.memoise && count == front.last && block.segments.size() == 1)
    if (MemoEntry* found = memo_->find(front, now_.state, entry, variations_.front()))
      return repeat(block, run, *found, entry, fetched, quick);

  // The schedule, segment by segment.
  parts_.clear();
  uint64_t scheduled = 0;
  const bool one = block.segments.size() == 1;
  const uint32_t* issue = nullptr;
  std::optional<Schedule> fresh;
  if (!one) issue_.resize(count);
  std::span<const InstructionCycles> shown;
  for (size_t k = 0; k < block.segments.size() && block.segments[k].first < count; ++k) {
    Segment& segment = block.segments[k];
    const size_t last = std::min<size_t>(segment.last, count);
    const Entry way = k == 0 ? entry : Entry::sequential;
    MemoEntry* entry_found = nullptr;
    fresh.reset();
    const bool memoise = options_.memoise && last == segment.last;
    if (memoise) entry_found = memo_->find(segment, now_.state, way, variations_[k]);
    if (!entry_found) {
      fresh = evaluate(block.ops, segment.first, last, memo_->state(now_.state), way,
                       variations_[k], static_cast<int>(parameters_.redirect));
      if (memoise && !Memo::crowded(segment)) {
        entry_found = memo_->add(segment, now_.state, way, variations_[k], std::move(*fresh));
        entry_found->number = ++schedules_;
        fresh.reset();
      }
    }
    const Schedule& schedule = entry_found ? entry_found->schedule : *fresh;
    if (entry_found) used(*entry_found);
    else other_spread_.below += schedule.below, other_spread_.above += schedule.above;
    if (!entry_found)
      for (const InstructionCycles& part : schedule.parts)
        other_totals_[static_cast<size_t>(part.cause)] += part.cycles;
    now_.state = entry_found ? entry_found->next_state : memo_->state_id(schedule.exit);
    now_.late_flags = memo_->state(now_.state).flags_late != 0;
    issue = schedule.issue.data();
    for (size_t i = segment.first; !one && i < last; ++i)
      issue_[i] = static_cast<uint32_t>(scheduled + schedule.issue[i - segment.first]);
    scheduled += schedule.cycles;
    if (sink_) {
      if (one && quick && entry_found) shown = schedule.parts;
      else parts_.insert(parts_.end(), schedule.parts.begin(), schedule.parts.end());
    }
  }

  uint64_t cycles = scheduled;
  if (!one) issue = issue_.data();
  if (quick) {
    now_.settle(block, run.accesses, start, issue);
  } else {
    play(block, run, entry, count, fetched, issue, cycles);
    if (sink_) parts_.insert(parts_.end(), stalls_.begin(), stalls_.end());
  }
  now_.cycle += cycles;
  now_.last = &block.decoded->instructions[count - 1];
  if (sink_) {
    if (shown.empty()) shown = parts_;
    const size_t scheduled_parts = shown.size() - (quick ? 0 : stalls_.size());
    emit({block.decoded, &run, start, cycles, shown, 0, 0, {issue, count}, scheduled_parts});
  }
  if (memo_->full()) restart_memo();
}

void CoreEstimator::play(Block& block, const trace::BlockRun& run, Entry entry, size_t count,
                         bool fetched, const uint32_t* issue, uint64_t& cycles) {
  stalls_.clear();
  now_.play(block, run.accesses, entry, count, fetched, issue, stalls_);
  for (const InstructionCycles& stall : stalls_) {
    cycles += stall.cycles;
    other_totals_[static_cast<size_t>(stall.cause)] += stall.cycles;
  }
  if (!fetched && now_.memory.resident(block.decoded->address, block.decoded->bytes))
    block.resident = now_.memory.instruction_generation();
}

void CoreEstimator::repeat(Block& block, const trace::BlockRun& run, MemoEntry& found, Entry entry,
                           bool fetched, bool quick) {
  const Schedule& schedule = found.schedule;
  const uint64_t start = now_.cycle;
  uint64_t cycles = schedule.cycles;
  used(found);
  now_.state = found.next_state;
  now_.late_flags = found.late_flags;
  std::span<const InstructionCycles> parts = schedule.parts;
  if (quick) {
    now_.settle(block, run.accesses, start, schedule.issue.data());
  } else {
    play(block, run, entry, schedule.issue.size(), fetched, schedule.issue.data(), cycles);
    if (sink_ && !stalls_.empty()) {
      parts_.assign(parts.begin(), parts.end());
      parts_.insert(parts_.end(), stalls_.begin(), stalls_.end());
      parts = parts_;
    }
  }
  now_.cycle += cycles;
  now_.last = &block.decoded->instructions.back();
  if (sink_)
    emit({block.decoded, &run, start, cycles, parts, found.number, schedule.parts.size(),
          schedule.issue, schedule.parts.size()});
}

// Round by round until one leaves everything as it was; all further ones are like it.
void CoreEstimator::repeat(std::span<const trace::BlockRun> loop, uint64_t times) {
  steady_cycles_ = 0;
  while (times > 0) {
    const Carried before = now_;
    const CauseCycles totals = other_totals_;
    const Spread spread = other_spread_, memory_spread = now_.memory.spread();
    const Memo* memo = memo_.get();
    round_.emplace();
    for (const trace::BlockRun& block_run : loop) run(block_run);
    --times;
    const Round round = std::move(*round_);
    round_.reset();
    if (memo != memo_.get() || !now_.steady_since(before)) continue;
    steady_cycles_ = now_.cycle - before.cycle;
    if (times == 0) return;
    const auto more = static_cast<double>(times);
    for (MemoEntry* entry : round.used) entry->uses += times;
    for (size_t i = 0; i < kCauseCount; ++i)
      other_totals_[i] += (other_totals_[i] - totals[i]) * times;
    other_spread_.below += (other_spread_.below - spread.below) * more;
    other_spread_.above += (other_spread_.above - spread.above) * more;
    now_.memory.add_spread({(now_.memory.spread().below - memory_spread.below) * more,
                            (now_.memory.spread().above - memory_spread.above) * more});
    if (sink_) sink_->repeated(round.runs, times, steady_cycles_);
    now_.move_on(before, steady_cycles_ * times);
    return;
  }
}

void CoreEstimator::restart_memo() {
  memo_->add_totals(other_totals_);
  memo_->add_spread(other_spread_);
  const PipeState state = memo_->state(now_.state);
  memo_ = std::make_unique<Memo>();
  now_.state = memo_->state_id(state);
  for (auto& block : blocks_)
    for (Segment& segment : block->segments) segment.entries.clear();
}

void CoreEstimator::control(const trace::Control& control) {
  now_.memory.control(control, now_.cycle);
  if (control.what == trace::Control::What::branch_predictor_invalidate)
    now_.predictor.invalidate();
  if (control.what == trace::Control::What::sleep) {
    const uint64_t cycles = control.value | uint64_t{control.extra[0]} << 32;
    const uint64_t start = now_.cycle;
    other_totals_[static_cast<size_t>(Cause::sleep)] += cycles;
    now_.cycle += cycles;
    if (sink_) sink_->slept(start, cycles);
  }
}

void CoreEstimator::exception(const trace::Exception& exception) {
  // guess: Arm's headline figure; stacking misses are not played apart.
  const uint64_t cycles = exception.entry ? parameters_.exception_entry : parameters_.exception_exit;
  const Cause cause = exception.entry ? Cause::exception_entry : Cause::exception_exit;
  const uint64_t start = now_.cycle;
  other_spread_.below += static_cast<double>(cycles) -
                         (exception.entry ? low_.exception_entry : low_.exception_exit);
  other_spread_.above += (exception.entry ? high_.exception_entry : high_.exception_exit) -
                         static_cast<double>(cycles);
  other_totals_[static_cast<size_t>(cause)] += cycles;
  now_.cycle += cycles;
  now_.last = nullptr;
  now_.state = memo_->state_id(PipeState{});
  if (sink_) sink_->exception(exception, start, cycles);
}

std::vector<uint8_t> CoreEstimator::state() const {
  StateSaver saver;
  std::string table = table_hash();
  saver.text(table);
  snapshot().carry(saver);
  return saver.take();
}

void CoreEstimator::window_start(const trace::WindowStart& start) {
  StateLoader loader(start.estimator);
  std::string table;
  loader.text(table);
  if (table != table_hash())
    throw Error("timing: a recorded window needs timing table {}, this program has {}", table, table_hash());
  Snapshot loaded = snapshot();
  loaded.carry(loader);
  loader.end();
  if (!is_valid(loaded.pipe)) loader.refuse("a pipeline state that cannot be");
  now_ = std::move(loaded.carried);
  now_.state = memo_->state_id(loaded.pipe);
  before_window_ = std::move(loaded.last);
  now_.last = loaded.has_last ? &before_window_ : nullptr;
  now_.cycle = start.cycle;
  if (sink_) sink_->window_start(start);
}

uint64_t CoreEstimator::ahead(const DecodedBlock& decoded, std::span<const trace::Access> accesses,
                              uint32_t instruction) const {
  if (decoded.id >= blocks_.size()) throw Error("timing: block {} was never defined", decoded.id);
  const Block& block = *blocks_[decoded.id];
  const size_t count = std::min<size_t>(size_t{instruction} + 1, block.ops.ops.size());
  while (!accesses.empty() && accesses.back().instruction >= instruction)
    accesses = accesses.first(accesses.size() - 1);
  Carried copy = now_;
  copy.memory.observe(nullptr);
  const Entry entry = copy.enter(block);
  std::vector<Variation> variations(block.segments.size());
  (void)copy.survey(block, count, accesses, variations.data());
  std::vector<uint32_t> issue(count);
  PipeState state = memo_->state(copy.state);
  uint32_t scheduled = 0;
  for (size_t k = 0; k < block.segments.size() && block.segments[k].first < count; ++k) {
    const Segment& segment = block.segments[k];
    const size_t last = std::min<size_t>(segment.last, count);
    const Schedule schedule = evaluate(block.ops, segment.first, last, state,
                                       k == 0 ? entry : Entry::sequential, variations[k],
                                       static_cast<int>(parameters_.redirect));
    for (size_t i = segment.first; i < last; ++i)
      issue[i] = scheduled + schedule.issue[i - segment.first];
    scheduled += schedule.cycles;
    state = schedule.exit;
  }
  std::vector<InstructionCycles> stalls;
  copy.play(block, accesses, entry, count, block.free_fetch, issue.data(), stalls);
  uint64_t cycles = issue[count - 1];
  for (const InstructionCycles& stall : stalls) cycles += stall.cycles;
  return cycles;
}

}  // namespace

std::unique_ptr<Estimator> make_estimator(const Board& board, const EstimatorOptions& options) {
  return std::make_unique<CoreEstimator>(board, options);
}

}  // namespace mcusim
