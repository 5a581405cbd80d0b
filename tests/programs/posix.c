// What do POSIX's functions answer that programs from elsewhere call? There is no file and none can be made.
// oracle: none
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static double seconds(clockid_t clock) {
  struct timespec now;
  return clock_gettime(clock, &now) == 0 ? now.tv_sec + now.tv_nsec * 1e-9 : -1;
}

static void say(const char* what, long answer) {
  printf("%s %ld %s\n", what, answer, answer != -1 ? "-" : errno == ENOENT ? "ENOENT" : "another error");
  errno = 0;
}

int main(void) {
  struct stat state;
  char bytes[16];
  say("rename", rename("a", "b"));                         //> rename -1 ENOENT
  say("unlink", unlink("a"));                              //> unlink -1 ENOENT
  say("remove", remove("a"));                              //> remove -1 ENOENT
  say("utime", utime("a", NULL));                          //> utime -1 ENOENT
  say("stat", stat("a", &state));                          //> stat -1 ENOENT
  say("lstat", lstat("a", &state));                        //> lstat -1 ENOENT
  say("access", access("a", R_OK));                        //> access -1 ENOENT
  say("mkdir", mkdir("a", 0777));                          //> mkdir -1 ENOENT
  say("chdir", chdir("a"));                                //> chdir -1 ENOENT
  say("getcwd", getcwd(bytes, sizeof bytes) ? 0 : -1);     //> getcwd -1 ENOENT
  say("fopen", fopen("a", "w") ? 0 : -1);                  //> fopen -1 ENOENT
  say("getentropy", getentropy(bytes, sizeof bytes));      //> getentropy 0 -
  say("sigprocmask", sigprocmask(SIG_BLOCK, NULL, NULL));  //> sigprocmask 0 -
  const double begin = seconds(CLOCK_MONOTONIC);
  say("sleep", sleep(2));                                  //> sleep 0 -
  say("usleep", usleep(250000));                           //> usleep 0 -
  const struct timespec half = {0, 500000000};
  say("nanosleep", nanosleep(&half, NULL));                //> nanosleep 0 -
  struct timespec until = {10, 0};
  const double slept = seconds(CLOCK_MONOTONIC) - begin;
  say("clock_nanosleep", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
  //> clock_nanosleep 0 -
  printf("%.3f %.3f\n", slept, seconds(CLOCK_REALTIME));   //> 2.750 10.000
  say("clock_gettime", clock_gettime(77, &until) == -1 && errno == EINVAL ? 0 : 1);
  //> clock_gettime 0 -
  say("clock_getres", clock_getres(CLOCK_REALTIME, &until) == 0 ? until.tv_nsec : -1);
  //> clock_getres 1 -
}
