// What start.cpp needs of system.cpp.
#pragma once

extern "C" {

void dojo_open_terminal();  // stdin, stdout, stderr; what is still in their buffers is written when exit() is
                            // called
[[noreturn]] void dojo_end_thread(int code);

}  // extern "C"
