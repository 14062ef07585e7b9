#include "controller/no_core_dump.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace controller {

void forbid_core_dumps() {
  // Neither can fail: the limit is only lowered, and 0 is a value that prctl knows.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return;  // its search for leaks traces the process
#endif
#endif
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace controller
