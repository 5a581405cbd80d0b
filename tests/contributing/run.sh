#!/usr/bin/env bash
# Do the examples of CONTRIBUTING.md do what it says? Applies them to a copy of the last commit, builds the tests that
# they speak of, and runs these and ONNX's cases of the new operator. Takes minutes; not part of make test.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree"; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/tree" HEAD
cd "$work/tree"
git apply tests/contributing/*.patch
cmake --preset release --log-level=WARNING
cmake --build build --target dojo isa_test onnx_test data_test
DOJO_REGENERATE=1 build/isa_test --gtest_brief=1 --gtest_filter='Page.*'
build/isa_test --gtest_brief=1
build/onnx_test --gtest_brief=1
build/data_test --gtest_brief=1
cases=(/usr/share/libonnx-testdata/data/node/test_det_*)
for case in "${cases[@]}"; do build/dojo conformance "$case"; done
