// Bytes of an ONNX file to values. Field numbers are those of onnx.proto.
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "onnx/file.h"
#include "onnx/foreign_network.h"
#include "onnx/wire.h"

namespace dojo::onnx {
namespace {

// Where the file's own bytes and the tensors that it keeps elsewhere are found.
struct ModelLocation {
  std::string_view where;
  std::filesystem::path folder;
  unsigned depth = 0;  // of the graph inside nodes
};

constexpr unsigned deepest_graph = 32;
GraphFile parse_graph(WireReader reader, const ModelLocation& place);

template <typename Element>
void append_low_bytes(std::string& data, Element value, std::size_t bytes) {
  char copy[sizeof(Element)];
  std::memcpy(copy, &value, sizeof value);
  data.append(copy, bytes);
}

// The elements of a tensor as its file held them: in `raw_data` or in one of the typed fields.
struct Elements {
  std::vector<float> singles;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  std::string_view raw;
  bool has_raw = false, external = false;
  std::map<std::string, std::string> place;  // of external data

  std::string bytes(DataType type) const {
    if (has_raw) return std::string(raw);
    std::string data;
    const std::size_t size = (bits_of(type) + 7) / 8;
    for (const float value : singles) append_low_bytes(data, value, sizeof value);
    for (const double value : doubles) append_low_bytes(data, value, sizeof value);
    for (const std::int64_t value : integers) append_low_bytes(data, value, std::min<std::size_t>(size, 8));
    return data;
  }
};

std::uint64_t number_in(const std::map<std::string, std::string>& place, const std::string& key,
                        std::uint64_t otherwise, std::string_view where) {
  const auto found = place.find(key);
  if (found == place.end()) return otherwise;
  std::uint64_t value = 0;
  for (const char digit : found->second) {
    if (digit < '0' || digit > '9' || value > (UINT64_MAX - 9) / 10)
      refuse(where, "external data: {} '{}' is not a number", key, found->second);
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

std::string read_external(const Elements& elements, const Tensor& tensor, const ModelLocation& place) {
  const auto location = elements.place.find("location");
  if (location == elements.place.end() || place.folder.empty())
    refuse(place.where, "tensor '{}' keeps its data in another file that it does not name", tensor.name);
  const std::filesystem::path relative(location->second);
  for (const auto& part : relative)
    if (part == ".." || relative.is_absolute())
      refuse(place.where, "tensor '{}' keeps its data in '{}', outside the model's folder", tensor.name,
             location->second);
  const std::vector<std::byte> file = read_file(place.folder / relative);
  const std::uint64_t offset = number_in(elements.place, "offset", 0, place.where);
  if (offset > file.size())
    refuse(place.where, "tensor '{}' starts beyond the end of '{}'", tensor.name, location->second);
  const std::uint64_t length = number_in(elements.place, "length", file.size() - offset, place.where);
  if (length > file.size() - offset)
    refuse(place.where, "tensor '{}' ends beyond the end of '{}'", tensor.name, location->second);
  return {reinterpret_cast<const char*>(file.data()) + offset, length};
}

std::pair<std::string, std::string> parse_entry(WireReader reader) {
  std::pair<std::string, std::string> entry;
  for (Field field; reader.next(field);) {
    if (field.number == 1) entry.first = reader.text(field);
    if (field.number == 2) entry.second = reader.text(field);
  }
  return entry;
}

// Refuses extents that are negative or whose product does not fit, then data of another size.
void check_size(const Tensor& tensor, const WireReader& reader, std::size_t offset) {
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.dims) {
    if (extent < 0 || (extent > 0 && count > (std::int64_t{1} << 40) / extent))
      reader.fail(offset, fmt::format("tensor '{}' has an impossible extent {}", tensor.name, extent));
    count *= extent;
  }
  const std::size_t bits = bits_of(tensor.type), size = (static_cast<std::size_t>(count) * bits + 7) / 8;
  if (bits == 0) return;
  if (tensor.data.size() != size)
    reader.fail(offset, fmt::format("tensor '{}' of {} {} elements needs {} bytes and has {}", tensor.name,
                                    count, data_type_name(tensor.type), size, tensor.data.size()));
}

Tensor parse_tensor(WireReader reader, std::size_t offset, const ModelLocation& place) {
  Tensor tensor;
  Elements elements;
  for (Field field; reader.next(field);) switch (field.number) {
      case 1:
        reader.append_integers(field, tensor.dims);
        break;
      case 2:
        tensor.type = static_cast<DataType>(reader.integer(field));
        break;
      case 4:
        reader.append_singles(field, elements.singles);
        break;
      case 5:
      case 7:
      case 11:
        reader.append_integers(field, elements.integers);
        break;
      case 8:
        tensor.name = reader.text(field);
        break;
      case 9:
        elements.raw = reader.bytes(field);
        elements.has_raw = true;
        break;
      case 10:
        reader.append_doubles(field, elements.doubles);
        break;
      case 13:
        elements.place.insert(parse_entry(reader.inside(field)));
        break;
      case 14:
        elements.external = reader.integer(field) == 1;
        break;
      default:
        tensor.other += field.encoded;
    }
  tensor.data = elements.external ? read_external(elements, tensor, place) : elements.bytes(tensor.type);
  check_size(tensor, reader, offset);
  return tensor;
}

// The type of an attribute whose file does not state it (allowed before IR version 2): that of the value it
// has.
AttributeType implied_type(std::uint32_t field_number) {
  return field_number >= 2 && field_number <= 9 ? static_cast<AttributeType>(field_number - 1)
                                                : AttributeType::undefined;
}

Attribute parse_attribute(WireReader reader, const ModelLocation& place) {
  Attribute attribute;
  AttributeType implied = AttributeType::undefined;
  for (Field field; reader.next(field);) {
    if (implied == AttributeType::undefined) implied = implied_type(field.number);
    switch (field.number) {
      case 1:
        attribute.name = reader.text(field);
        break;
      case 2:
        attribute.single = reader.single(field);
        break;
      case 3:
        attribute.integer = reader.integer(field);
        break;
      case 4:
        attribute.string = reader.bytes(field);
        break;
      case 5:
        attribute.tensor = parse_tensor(reader.inside(field), field.offset, place);
        break;
      case 6: {
        if (place.depth == deepest_graph)
          reader.fail(field.offset, fmt::format("graphs inside each other, more than {}", deepest_graph));
        const ModelLocation inside{place.where, place.folder, place.depth + 1};
        attribute.graph = std::make_shared<const GraphFile>(parse_graph(reader.inside(field), inside));
        attribute.other += field.encoded;
        break;
      }
      case 7:
        reader.append_singles(field, attribute.singles);
        break;
      case 8:
        reader.append_integers(field, attribute.integers);
        break;
      case 9:
        attribute.strings.emplace_back(reader.bytes(field));
        break;
      case 20:
        attribute.type = static_cast<AttributeType>(reader.integer(field));
        break;
      default:
        attribute.other += field.encoded;
    }
  }
  if (attribute.type == AttributeType::undefined) attribute.type = implied;
  return attribute;
}

Node parse_node(WireReader reader, const ModelLocation& place) {
  Node node;
  for (Field field; reader.next(field);) switch (field.number) {
      case 1:
        node.inputs.emplace_back(reader.text(field));
        break;
      case 2:
        node.outputs.emplace_back(reader.text(field));
        break;
      case 3:
        node.name = reader.text(field);
        break;
      case 4:
        node.op = reader.text(field);
        break;
      case 5:
        node.attributes.push_back(parse_attribute(reader.inside(field), place));
        break;
      case 7:
        node.domain = reader.text(field);
        break;
      case 9:
        node.metadata.insert(parse_entry(reader.inside(field)));
        break;
      default:
        node.other += field.encoded;
    }
  return node;
}

Dimension parse_dimension(WireReader reader) {
  Dimension dimension;
  for (Field field; reader.next(field);) {
    if (field.number == 1) dimension.extent = reader.integer(field);
    if (field.number == 2) dimension.symbol = reader.text(field);
  }
  return dimension;
}

void parse_tensor_type(WireReader reader, ValueInfo& value) {
  for (Field field; reader.next(field);) {
    if (field.number == 1) value.type = static_cast<DataType>(reader.integer(field));
    if (field.number != 2) continue;
    value.shape.emplace();
    WireReader shape = reader.inside(field);
    for (Field dimension; shape.next(dimension);)
      if (dimension.number == 1) value.shape->push_back(parse_dimension(shape.inside(dimension)));
  }
}

ValueInfo parse_value(WireReader reader) {
  ValueInfo value;
  for (Field field; reader.next(field);) {
    if (field.number == 1) {
      value.name = reader.text(field);
    } else if (field.number == 2) {
      WireReader type = reader.inside(field);
      bool is_tensor = false;
      for (Field kind; type.next(kind);)
        if (kind.number == 1) is_tensor = true, parse_tensor_type(type.inside(kind), value);
      if (!is_tensor) value.other += field.encoded;
    } else {
      value.other += field.encoded;
    }
  }
  return value;
}

GraphFile parse_graph(WireReader reader, const ModelLocation& place) {
  GraphFile graph;
  for (Field field; reader.next(field);) switch (field.number) {
      case 1:
        graph.nodes.push_back(parse_node(reader.inside(field), place));
        break;
      case 2:
        graph.name = reader.text(field);
        break;
      case 5:
        graph.initialisers.push_back(parse_tensor(reader.inside(field), field.offset, place));
        break;
      case 11:
        graph.inputs.push_back(parse_value(reader.inside(field)));
        break;
      case 12:
        graph.outputs.push_back(parse_value(reader.inside(field)));
        break;
      case 13:
        graph.values.push_back(parse_value(reader.inside(field)));
        break;
      default:
        graph.other += field.encoded;
    }
  return graph;
}

std::pair<std::string, std::int64_t> parse_opset(WireReader reader) {
  std::pair<std::string, std::int64_t> opset;
  for (Field field; reader.next(field);) {
    if (field.number == 1) opset.first = reader.text(field);
    if (field.number == 2) opset.second = reader.integer(field);
  }
  if (opset.first == "ai.onnx") opset.first.clear();
  return opset;
}

}  // namespace

const Attribute* Node::find(std::string_view attribute) const {
  for (const Attribute& candidate : attributes)
    if (candidate.name == attribute) return &candidate;
  return nullptr;
}

Model parse_model(std::string_view bytes, std::string_view where, const std::filesystem::path& folder) {
  if (bytes.empty()) refuse(where, "is empty");
  const ModelLocation place{where, folder, 0};
  Model model;
  bool has_graph = false;
  WireReader reader(bytes, where);
  for (Field field; reader.next(field);) switch (field.number) {
      case 1:
        model.ir_version = reader.integer(field);
        break;
      case 2:
        model.producer = reader.text(field);
        break;
      case 3:
        model.producer_version = reader.text(field);
        break;
      case 7:
        model.graph = parse_graph(reader.inside(field), place);
        has_graph = true;
        break;
      case 8:
        model.opsets.insert(parse_opset(reader.inside(field)));
        break;
      case 14:
        model.metadata.insert(parse_entry(reader.inside(field)));
        break;
      default:
        model.other += field.encoded;
    }
  if (!has_graph)
    refuse(where, "byte {}: the file ends without a graph; it is cut off or is no ONNX file", bytes.size());
  if (model.opsets.empty())
    refuse(where, "byte {}: the file ends without naming its operator set; it is cut off or is no ONNX file",
           bytes.size());
  return model;
}

Model read_model(const std::filesystem::path& path) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) refuse(path.string(), "{}", foreign_folder(path));
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string bytes = read_text(path);
  if (const auto foreign = foreign_file(bytes, path)) refuse(path.string(), "{}", *foreign);
  return parse_model(bytes, path.string(), folder);
}

Tensor parse_tensor(std::string_view bytes, std::string_view where) {
  return parse_tensor(WireReader(bytes, where), 0, ModelLocation{where, {}, 0});
}

}  // namespace dojo::onnx
