// What a command or a file says in JSON, for tests to read. The library's own header takes seconds to
// compile, and is read once, in json.cpp.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dojo {

class Json {
public:
  // What the text says; throws std::exception where it is none, or no more than begun.
  static Json parse(const std::string& text);

  // Values to compare with: a number is equal to any of the same value, whatever its type.
  Json(int number);
  Json(unsigned number);
  Json(double number);
  Json(std::uint64_t number);
  Json(const char* text);
  Json(const std::string& text);

  // Of an object, by name, or of an array; throws std::exception where there is no such thing.
  Json at(std::string_view name) const;
  Json at(std::size_t index) const;
  bool contains(std::string_view name) const;
  bool is_null() const;
  bool empty() const;
  std::size_t size() const;
  std::vector<Json> elements() const;                       // of an array or an object, in order
  std::vector<std::pair<std::string, Json>> items() const;  // of an object, by name

  // The value; throws std::exception where it is of another kind.
  double number() const;
  std::uint64_t count() const;
  std::string text() const;

  std::string dump() const;

  friend bool operator==(const Json& a, const Json& b);
  friend std::partial_ordering operator<=>(const Json& a, const Json& b);
  friend std::ostream& operator<<(std::ostream& out, const Json& json) { return out << json.dump(); }

private:
  explicit Json(const nlohmann::json& value);

  std::shared_ptr<const nlohmann::json> value_;
};

}  // namespace dojo
