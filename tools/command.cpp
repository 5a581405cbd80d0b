#include "command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "base/error.h"

namespace dojo::tools {
namespace {

template <typename Number>
std::optional<Number> read(const std::string& text) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Decimal digits and nothing else.
std::optional<std::uint64_t> whole_number(const std::string& text) {
  const bool plain = text.size() == 1 || !text.starts_with('0');
  return plain ? read<std::uint64_t>(text) : std::nullopt;
}

bool is_fraction(const Option& option) { return std::holds_alternative<double*>(option.into); }

bool is_whole(const Option& option) {
  return std::visit(
      [](auto* target) {
        using T = std::remove_pointer_t<decltype(target)>;
        return (std::is_integral_v<T> && !std::is_same_v<T, bool>) ||
               std::is_same_v<T, std::optional<std::uint16_t>>;
      },
      option.into);
}

bool is_accepted(const Option& option, double value) {
  return value > static_cast<double>(option.least) && value <= static_cast<double>(option.most);
}

bool is_accepted(const Option& option, std::uint64_t value) {
  return value >= option.least && value <= option.most;
}

std::string most_of(const Option& option) {
  return option.most_is.empty() ? fmt::format("{}", option.most) : option.most_is;
}

struct TypeName {
  std::string operator()(const bool*) const { return ""; }
  std::string operator()(const double*) const { return "FLOAT"; }
  std::string operator()(const std::int64_t*) const { return "INT"; }
  std::string operator()(const unsigned*) const { return "UINT"; }
  std::string operator()(const std::uint64_t*) const { return "UINT"; }
  template <typename Text>
  std::string operator()(const Text*) const {
    return "TEXT";
  }
};

struct Default {
  const Option& option;

  std::string operator()(const bool*) const { return ""; }
  std::string operator()(const std::string* text) const { return *text; }
  std::string operator()(const std::vector<std::string>*) const { return ""; }
  template <typename T>
  std::string operator()(const std::optional<T>*) const {
    return "";
  }
  std::string operator()(const double* number) const {
    return is_accepted(option, *number) ? fmt::format("{}", *number) : "";
  }
  template <typename Whole>
  std::string operator()(const Whole* number) const {
    return is_accepted(option, static_cast<std::uint64_t>(*number)) ? fmt::format("{}", *number) : "";
  }
};

// The text is known to be good.
struct Put {
  const std::vector<std::string>& values;

  void operator()(bool* flag) const { *flag = values.back() == "true"; }
  void operator()(std::string* text) const { *text = values.back(); }
  void operator()(std::optional<std::string>* text) const { *text = values.back(); }
  void operator()(std::vector<std::string>* list) const { *list = values; }
  void operator()(double* number) const { *number = read<double>(values.back()).value(); }
  void operator()(std::optional<std::uint16_t>* number) const {
    *number = static_cast<std::uint16_t>(whole_number(values.back()).value());
  }
  template <typename Whole>
  void operator()(Whole* number) const {
    *number = static_cast<Whole>(whole_number(values.back()).value());
  }
};

}  // namespace

Option& Command::option(std::string_view wanted) {
  return *std::ranges::find(options, wanted, &Option::name);
}

std::vector<Option> joined(std::initializer_list<std::vector<Option>> groups) {
  std::vector<Option> all;
  for (const std::vector<Option>& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

bool is_option(const Option& option) { return option.name.starts_with('-'); }

bool is_flag(const Option& option) { return std::holds_alternative<bool*>(option.into); }

bool is_list(const Option& option) { return std::holds_alternative<std::vector<std::string>*>(option.into); }

std::string value_name(const Option& option) {
  return option.value.empty() ? std::visit(TypeName{}, option.into) : option.value;
}

std::string fault_of(const Option& option, const std::string& text) {
  if (option.is_path && text.empty()) return "'' names no file";
  if (is_fraction(option)) {
    const std::optional<double> value = read<double>(text);
    return value && is_accepted(option, *value)
               ? ""
               : fmt::format("'{}' is no number above {} and up to {}", text, option.least, most_of(option));
  }
  if (is_whole(option)) {
    const std::optional<std::uint64_t> value = whole_number(text);
    return value && is_accepted(option, *value)
               ? ""
               : fmt::format("'{}' is no whole number from {} to {}", text, option.least, most_of(option));
  }
  return "";
}

std::string default_of(const Option& option) { return std::visit(Default{option}, option.into); }

void assign(Option& option, const std::vector<std::string>& values) {
  if (values.empty()) return;
  for (const std::string& value : values)
    if (const std::string fault = fault_of(option, value); !fault.empty()) refuse(option.name, "{}", fault);
  option.given = values;
  std::visit(Put{values}, option.into);
}

}  // namespace dojo::tools
