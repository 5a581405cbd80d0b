/* OpenDojo as a library: programs for the emulated machine, from any language that can call C.
 *
 * A program is compiled from the bytes of an ONNX container (below) and lives in a machine of its own until
 * it is released. Parameters and optimizer state stay in that machine from run to run; a run takes inputs and
 * gives outputs.
 *
 *     opendojo_program* step = NULL;
 *     opendojo_error error;
 *     if (opendojo_compile(model, bytes, NULL, &step, &error) != OPENDOJO_OK) return puts(error.sentence);
 *     opendojo_write_states(step, states, state_count, &error);
 *     opendojo_run(step, inputs, input_count, outputs, output_count, &error);
 *     opendojo_release(step);
 *
 * Errors: every function that can fail returns a status and, if `error` is not NULL, fills it in, with empty
 * strings when there is nothing to say. A call that fails changes nothing, unless it says otherwise. Nothing
 * is printed, no exception leaves the library, and it calls nobody back. A broken invariant of the library's
 * own stops the process with its place, as assert() does.
 *
 * Threads: there is no global state. Programs are independent of each other and may run at the same time;
 * calls on one program must not overlap, except that opendojo_interrupt() may be called at any moment.
 *
 * Ownership: what the caller passes stays the caller's and is not kept. What opendojo_describe() points to
 * belongs to the program and lives as long as it.
 *
 * Tensors: dense, row-major, little-endian. Computed in FP32: whole numbers are taken up to 2^23 and are
 * exact up to 2^24; what may grow beyond is refused. Truth values are bytes, 0 or 1. Of bfloat16 tensors each
 * operator's result is rounded once, halves to even.
 *
 * The container holds PyTorch's ATen operators (src/onnx/aten.h says how) with fixed shapes. Its metadata
 * name the inputs that stay in the machine, here called states, and what replaces them after each run.
 */
#ifndef OPENDOJO_H
#define OPENDOJO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OPENDOJO_API __attribute__((visibility("default")))

/* Grows with every change that an older caller would notice. */
#define OPENDOJO_ABI 2
OPENDOJO_API uint32_t opendojo_abi(void);

/* The operators that a container may hold, each as "add.Tensor" with a newline behind it. What is not among
 * them the caller has to express by those that are. */
OPENDOJO_API const char* opendojo_operators(void);

typedef enum opendojo_status {
  OPENDOJO_OK = 0,
  OPENDOJO_INVALID = 1,     /* a call, a container or a value that makes no sense */
  OPENDOJO_UNSUPPORTED = 2, /* decided against */
  OPENDOJO_NOT_YET = 3,     /* planned, absent today */
  OPENDOJO_UNSPECIFIED = 4, /* no public source says what the machine does here */
  OPENDOJO_INTERRUPTED = 5, /* by opendojo_interrupt() */
  OPENDOJO_STRANDED = 6,    /* a node of the machine could not go on */
  OPENDOJO_NO_MEMORY = 7,
  OPENDOJO_INTERNAL = 8 /* of the host: a file that cannot be written, a compiler that is missing */
} opendojo_status;

/* All strings end with a zero; one that is too long is cut and ends in "...". */
typedef struct opendojo_error {
  char sentence[2048]; /* one sentence without a full stop: where, what, and what to do */
  char op[128];        /* the operator that is refused; empty where the refusal is about no node */
  char module[256];    /* the path of the module that it comes from, where the container says it */
  char line[512];      /* and the line of its source, "file:line" */
} opendojo_error;

/* ONNX's numbers of the element types that are carried. */
typedef enum opendojo_type {
  OPENDOJO_FLOAT32 = 1,
  OPENDOJO_UINT8 = 2,
  OPENDOJO_INT8 = 3,
  OPENDOJO_INT16 = 5,
  OPENDOJO_INT32 = 6,
  OPENDOJO_INT64 = 7,
  OPENDOJO_BOOL = 9,
  OPENDOJO_BFLOAT16 = 16
} opendojo_type;

typedef struct opendojo_options {
  size_t size;         /* sizeof(opendojo_options) */
  const char* machine; /* "d1", "test6", or the path of a machine file; NULL: d1. "interpreter": no machine at
                          all, a slow and obvious evaluation that those of machines are compared with */
  const char* formats; /* "fp32", "bf16" or "cfloat8"; NULL: fp32 */
  uint32_t nodes;      /* how many of the machine's nodes; 0: all */
  uint32_t threads;    /* of the host, while it runs; 0: one a core */
} opendojo_options;

typedef struct opendojo_program opendojo_program;

/* Compiles `bytes` bytes of a container and puts the program, with zeros as states, at `*program`. `options`
 * may be NULL. Takes from seconds to minutes. */
OPENDOJO_API opendojo_status opendojo_compile(const void* model, size_t bytes,
                                              const opendojo_options* options, opendojo_program** program,
                                              opendojo_error* error);

/* Gives back the program and its machine; of NULL nothing. */
OPENDOJO_API void opendojo_release(opendojo_program* program);

typedef enum opendojo_kind { OPENDOJO_INPUT = 0, OPENDOJO_OUTPUT = 1, OPENDOJO_STATE = 2 } opendojo_kind;

typedef struct opendojo_description {
  const char* name;
  const int64_t* shape;
  int32_t rank;
  int32_t type;     /* opendojo_type */
  int32_t replaced; /* of a state: whether each run replaces it */
  /* Where an input or output holds the samples that are spread over the nodes: sample n, at outer part o and
   * inner part i, in element (o * samples + n) * inner + i of this dimension. -1: nowhere. */
  int32_t samples_dimension;
  int64_t samples_outer, samples_inner;
} opendojo_description;

/* How many there are of a kind, and what one of them is. Their order is that of the container. */
OPENDOJO_API size_t opendojo_count(const opendojo_program* program, opendojo_kind kind);
OPENDOJO_API opendojo_status opendojo_describe(const opendojo_program* program, opendojo_kind kind,
                                               size_t index, opendojo_description* description,
                                               opendojo_error* error);

typedef struct opendojo_tensor {
  void* data; /* only read where it is an input or a state to be written */
  const int64_t* shape;
  int32_t rank;
  int32_t type; /* opendojo_type */
} opendojo_tensor;

/* One run. All inputs and all outputs in their order, with the shapes and types that are described. */
OPENDOJO_API opendojo_status opendojo_run(opendojo_program* program, const opendojo_tensor* inputs,
                                          size_t input_count, const opendojo_tensor* outputs,
                                          size_t output_count, opendojo_error* error);

/* All states in their order, into the machine and out of it. */
OPENDOJO_API opendojo_status opendojo_write_states(opendojo_program* program, const opendojo_tensor* states,
                                                   size_t count, opendojo_error* error);
OPENDOJO_API opendojo_status opendojo_read_states(opendojo_program* program, const opendojo_tensor* states,
                                                  size_t count, opendojo_error* error);

/* Ends the run that is going on, which then returns OPENDOJO_INTERRUPTED; without one it does nothing. May be
 * called from any thread and from a signal handler. */
OPENDOJO_API void opendojo_interrupt(opendojo_program* program);

typedef struct opendojo_costs {
  uint32_t nodes;        /* that work */
  uint32_t samples;      /* that are spread over them */
  uint64_t runs;         /* so far */
  uint64_t cycles;       /* of the machine, for the last run */
  uint64_t total_cycles; /* for all of them */
  double clock_ghz;
  const char* alike; /* why every node computes all alike, the program's; empty if samples are spread */
} opendojo_costs;
OPENDOJO_API opendojo_status opendojo_report(const opendojo_program* program, opendojo_costs* costs,
                                             opendojo_error* error);

/* What the compiler made of the program, as JSON: {"nodes", "batch", "spread": "samples" or "tiles",
 * "not_samples": why tiles, "sram_bytes", "hbm_bytes", "estimated_cycles", "ops": [{"id", "name", "kind",
 * "shared", "why", "box", "cuts", "tensors", "formats", "sram_bytes", "hbm_bytes", "network_bytes",
 * "estimated_cycles", ...}]}. The text belongs to the program and lives as long as it. */
OPENDOJO_API opendojo_status opendojo_explain(const opendojo_program* program, const char** json,
                                              opendojo_error* error);

#ifdef __cplusplus
}
#endif

#endif
