// Which system call number is which call, for the programs' tables.
#pragma once

#include <cstdint>

namespace afterimage::capture {

// Both have SYSTEM_CALLS_MAX places (see record.h); what is not followed stays ENTRY_NONE.
void FillNativeEntries(uint8_t* entries);
// The 32-bit calls of a 64-bit kernel; none where it has none.
void FillCompatEntries(uint8_t* entries);

}  // namespace afterimage::capture
