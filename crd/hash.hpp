#pragma once

#include <string>
#include <string_view>

namespace crd {

/// 64 bits of FNV-1a as 16 hexadecimal digits: to notice a difference, not to withstand an attack.
std::string hash_of(std::string_view text);

}  // namespace crd
