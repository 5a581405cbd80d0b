#include "support/json.h"

#include <nlohmann/json.hpp>

namespace dojo {

Json::Json(const nlohmann::json& value) : value_(std::make_shared<const nlohmann::json>(value)) {}
Json::Json(int number) : Json(nlohmann::json(number)) {}
Json::Json(unsigned number) : Json(nlohmann::json(number)) {}
Json::Json(double number) : Json(nlohmann::json(number)) {}
Json::Json(std::uint64_t number) : Json(nlohmann::json(number)) {}
Json::Json(const char* text) : Json(nlohmann::json(text)) {}
Json::Json(const std::string& text) : Json(nlohmann::json(text)) {}

Json Json::parse(const std::string& text) { return Json(nlohmann::json::parse(text)); }

Json Json::at(std::string_view name) const { return Json(value_->at(std::string(name))); }
Json Json::at(std::size_t index) const { return Json(value_->at(index)); }
bool Json::contains(std::string_view name) const { return value_->contains(std::string(name)); }
bool Json::is_null() const { return value_->is_null(); }
bool Json::empty() const { return value_->empty(); }
std::size_t Json::size() const { return value_->size(); }

std::vector<Json> Json::elements() const {
  std::vector<Json> all;
  for (const nlohmann::json& element : *value_) all.push_back(Json(element));
  return all;
}

std::vector<std::pair<std::string, Json>> Json::items() const {
  std::vector<std::pair<std::string, Json>> all;
  for (const auto& [name, value] : value_->get_ref<const nlohmann::json::object_t&>())
    all.emplace_back(name, Json(value));
  return all;
}

double Json::number() const { return value_->get<double>(); }
std::uint64_t Json::count() const { return value_->get<std::uint64_t>(); }
std::string Json::text() const { return value_->get<std::string>(); }
std::string Json::dump() const { return value_->dump(); }

bool operator==(const Json& a, const Json& b) { return *a.value_ == *b.value_; }

std::partial_ordering operator<=>(const Json& a, const Json& b) {
  if (*a.value_ < *b.value_) return std::partial_ordering::less;
  if (*a.value_ > *b.value_) return std::partial_ordering::greater;
  return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
}

}  // namespace dojo
