// Collectives as rings over the columns and rows of the logical mesh.
//
// Every ring passes data from a node to its successor. A node may put into its successor's memory only with a
// credit, which the successor sends when that memory is free: on entering a gather for its whole buffer, in a
// reduction one for each free half of the staging area. A ring's semaphores are signalled by one neighbour
// only and every collective consumes exactly what it was sent, so that any number of collectives can follow
// each other, whichever node is ahead.
#include "dojo.h"

namespace dojo {
namespace {

// In the data section, hence at one address on every node.
struct Ring {
  Semaphore arrived;  // signalled by the predecessor's puts
  Semaphore credit;   // signalled by the successor
};
alignas(64) Ring column_ring{}, row_ring{};
alignas(64) Semaphore barrier_rounds[32]{};

// A node's place in one ring.
struct Place {
  Ring* ring;
  unsigned index, count;            // this node's position, nodes in the ring
  unsigned successor, predecessor;  // logical node numbers
};

unsigned wrapped(unsigned index, unsigned back, unsigned count) {
  return index >= back ? index - back : index + count - back;
}

Place place_in_column(Mesh mesh) {
  const unsigned pe = my_pe(), r = pe / mesh.columns, c = pe % mesh.columns, rows = mesh.rows;
  return {&column_ring, r, rows, (r + 1 == rows ? 0 : r + 1) * mesh.columns + c,
          wrapped(r, 1, rows) * mesh.columns + c};
}

Place place_in_row(Mesh mesh) {
  const unsigned pe = my_pe(), r = pe / mesh.columns, c = pe % mesh.columns, columns = mesh.columns;
  return {&row_ring, c, columns, r * columns + (c + 1 == columns ? 0 : c + 1),
          r * columns + wrapped(c, 1, columns)};
}

void allow(const Place& place, unsigned puts) {
  if (puts != 0) signal(place.predecessor, &place.ring->credit, puts);
}

// Blocks 0..count-1 of `bytes` each lie one after the other; block `index` is this node's.
void gather_ring(const Place& place, char* blocks, size_t bytes) {
  if (place.count == 1) return;
  wait(&place.ring->credit, 1);
  for (unsigned step = 0; step + 1 < place.count; ++step) {
    char* block = blocks + wrapped(place.index, step, place.count) * bytes;
    put_signal(place.successor, block, block, bytes, &place.ring->arrived);
    wait(&place.ring->arrived, 1);
  }
}

// Block b starts at node b + 1, which sends it on; every node adds its own values to what arrives; node b
// keeps the sum.
void reduce_ring(const Place& place, float* blocks, size_t elements, float* staging) {
  const unsigned steps = place.count - 1;
  allow(place, steps < 2 ? steps : 2);
  for (unsigned step = 0; step < steps; ++step) {
    float* received = staging + (step & 1) * elements;
    const unsigned sent = wrapped(wrapped(place.index, 1, place.count), step, place.count);
    wait(&place.ring->credit, 1);
    put_signal(place.successor, received, blocks + sent * elements, elements * sizeof(float),
               &place.ring->arrived);
    float* own = blocks + wrapped(sent, 1, place.count) * elements;
    wait(&place.ring->arrived, 1);
    add(own, received, own, elements);
    if (step + 2 < steps) allow(place, 1);
  }
}

}  // namespace

void barrier_all() {
  quiet();
  const unsigned pe = my_pe(), count = n_pes();
  Semaphore* round = barrier_rounds;
  for (unsigned distance = 1; distance < count; distance *= 2, ++round) {
    const unsigned partner = pe + distance;
    signal(partner < count ? partner : partner - count, round);
    wait(round, 1);
  }
}

void all_gather(void* buffer, size_t chunk_bytes, Mesh mesh) {
  const Place column = place_in_column(mesh), row = place_in_row(mesh);
  if (column.count > 1) allow(column, 1);
  if (row.count > 1) allow(row, 1);
  char* bytes = static_cast<char*>(buffer);
  const size_t column_bytes = mesh.rows * chunk_bytes;
  gather_ring(column, bytes + row.index * column_bytes, chunk_bytes);
  gather_ring(row, bytes, column_bytes);
}

void reduce_scatter(float* buffer, size_t chunk_elements, float* staging, Mesh mesh) {
  const Place column = place_in_column(mesh), row = place_in_row(mesh);
  const size_t column_elements = mesh.rows * chunk_elements;
  reduce_ring(row, buffer, column_elements, staging);
  reduce_ring(column, buffer + row.index * column_elements, chunk_elements, staging);
}

void all_reduce(float* buffer, size_t chunk_elements, float* staging, Mesh mesh) {
  reduce_scatter(buffer, chunk_elements, staging, mesh);
  all_gather(buffer, chunk_elements * sizeof(float), mesh);
}

}  // namespace dojo
