#pragma once
#include "supervise.h"
#include "crc32c.h"
