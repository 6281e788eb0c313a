// Stands in for offreg.dll: "merges" hives by copying the base one, as the recorded traces of the importer were made
// (tests/CimConvert.Tests/Data/Parity/README.md). OFFREG_FAIL=FUNCTION:ERROR makes a function return that Win32 error.
#include <windows.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)

typedef struct {
    WCHAR path[2048];
} hive;

// The Win32 error a call is to return.
static uint32_t outcome(const char *function)
{
    char wanted[64];
    DWORD length = GetEnvironmentVariableA("OFFREG_FAIL", wanted, sizeof wanted);
    char *colon = length > 0 && length < sizeof wanted ? strchr(wanted, ':') : NULL;
    if (colon == NULL)
        return ERROR_SUCCESS;
    *colon = 0;
    return strcmp(wanted, function) == 0 ? (uint32_t)atoi(colon + 1) : ERROR_SUCCESS;
}

EXPORT uint32_t OROpenHive(const WCHAR *path, hive **result)
{
    uint32_t error = outcome("OROpenHive");
    if (error != ERROR_SUCCESS)
        return error;
    if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
        return GetLastError();
    *result = calloc(1, sizeof **result);
    wcsncpy((*result)->path, path, 2047);
    return ERROR_SUCCESS;
}

EXPORT uint32_t ORMergeHives(hive *const *hives, uint32_t count, hive **merged)
{
    uint32_t error = outcome("ORMergeHives");
    if (error != ERROR_SUCCESS)
        return error;
    if (count < 2)
        return ERROR_INVALID_PARAMETER;
    *merged = calloc(1, sizeof **merged);
    wcscpy((*merged)->path, hives[0]->path);
    return ERROR_SUCCESS;
}

EXPORT uint32_t ORSaveHive(hive *h, const WCHAR *path, uint32_t major, uint32_t minor)
{
    uint32_t error = outcome("ORSaveHive");
    (void)major;
    (void)minor;
    if (error != ERROR_SUCCESS)
        return error;
    return CopyFileW(h->path, path, TRUE) ? ERROR_SUCCESS : GetLastError();
}

EXPORT uint32_t ORCloseHive(hive *h)
{
    free(h);
    return ERROR_SUCCESS;
}
