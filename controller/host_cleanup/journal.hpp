#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "controller/log.hpp"

namespace host_cleanup {

/// The log of one cleaning, for the human who reads later what happened to the machine. Lines as in
/// log_line.hpp.
class Journal {
 public:
  /// Goes nowhere.
  Journal() = default;
  /// Appends to the file, which only its owner can read; goes nowhere when that cannot be opened.
  explicit Journal(const std::filesystem::path& file);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// Also to standard error, which is the journal of the system for a unit.
  void copy_to_standard_error() { copied_ = true; }

  void write(controller::LogLevel level, std::string_view message,
             std::initializer_list<controller::LogField> fields = {});

 private:
  int fd_ = -1;
  bool copied_ = false;
};

}  // namespace host_cleanup
