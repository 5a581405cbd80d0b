// picolibc's own declares lstat() for some systems only.
#pragma once
#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif
int lstat(const char* path, struct stat* state);
#ifdef __cplusplus
}
#endif
