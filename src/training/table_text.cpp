#include "training/table_text.h"

namespace dojo::training {

std::string head_field(std::string_view name) {
  std::string field(name);
  for (char& letter : field)
    if (letter == ',' || letter == '"' || static_cast<unsigned char>(letter) < ' ') letter = '_';
  return field;
}

std::string text_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char letter : text) field += letter == '"' ? "\"\"" : std::string(1, letter);
  return field + "\"";
}

}  // namespace dojo::training
