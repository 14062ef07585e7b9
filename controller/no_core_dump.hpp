#pragma once

namespace controller {

/// From now on neither a crash nor a debugger of another user shows the memory of this process,
/// which holds tokens and keys: no core dump, also not through a handler, and no ptrace. Files in
/// /proc/self then belong to root; nothing of ours opens one of those that only their owner may
/// read. Programs started by us get no core dump either, as the limit is inherited.
void forbid_core_dumps();

}  // namespace controller
