#pragma once
#include "supervise.h"
#include "crc32c.h"
#include "cmartlet_agent.h"
#include "crash_note.h"
