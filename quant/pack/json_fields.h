// SPDX-License-Identifier: MIT
// Strict reading of one JSON object: every key is asked for by name and type, and
// a key that nobody asked for is an Error, so a misspelt one never becomes a default.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace mcusim {

class JsonFields {
 public:
  // `place` starts every message: "net.json: operator 3".
  JsonFields(const nlohmann::ordered_json& object, std::string place);

  const std::string& place() const { return place_; }
  bool has(const char* key) const { return object_.contains(key); }
  const nlohmann::ordered_json& value(const char* key);  // Error when missing
  int64_t integer(const char* key, int64_t least, int64_t most);
  bool boolean(const char* key);
  float real(const char* key);
  std::string text(const char* key);
  // A list of exactly `count` integers; 0 means any length.
  std::vector<int64_t> integers(const char* key, size_t count, int64_t least, int64_t most);
  void finish() const;  // Error naming the keys that were not asked for

 private:
  const nlohmann::ordered_json& object_;
  std::string place_;
  std::set<std::string> asked_;
};

int64_t json_integer(const nlohmann::ordered_json& value, int64_t least, int64_t most,
                     const std::string& place);

}  // namespace mcusim
