// picolibc's own declares only what utime() takes.
#pragma once
#include_next <utime.h>

#ifdef __cplusplus
extern "C" {
#endif
int utime(const char* path, const struct utimbuf* times);
#ifdef __cplusplus
}
#endif
