<#
.SYNOPSIS
Tries what a Windows can do with CIMs: conversion by the native back end, and mounting.

.DESCRIPTION
What this build of Windows cannot do is tried, too: the program has to refuse it and say why. Each step is done, failed, or could not
be tried, and the summary says which and why. Fails where a step failed. Mounting needs an administrator.
#>
param(
    [Parameter(Mandatory)] [string] $Program,
    # A Markdown file that the summary is appended to; none if not given.
    [string] $Summary
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$Program = (Resolve-Path $Program).Path
$folder = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "cimconvert-smoke-$PID")).FullName
$steps = [Collections.Generic.List[object]]::new()

# The builds are those of src/CimConvert/Interop/WindowsBuild.cs.
$build = [Environment]::OSVersion.Version.Build
$revision = 0
$hasCimFs = $false
$hasWriter = $false
if ($IsWindows) {
    $revision = (Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').UBR
    $system = Join-Path $env:SystemRoot 'System32'
    $hasCimFs = Test-Path (Join-Path $system 'cimfs.dll')
    $hasWriter = (Test-Path (Join-Path $system 'cimwriter.dll')) -or (Test-Path (Join-Path (Split-Path $Program) 'cimwriter.dll'))
}

$hasSealed = $hasCimFs -and $build -ge 27800
$hasStandard = $hasCimFs -and ($build -ge 26100 -or ($build -eq 20348 -and $revision -ge 2031))

# Runs the program; what it says on standard error is the error.
function Invoke-Program {
    $errors = Join-Path $folder 'stderr.txt'
    $output = & $Program @args 2> $errors
    if ($LASTEXITCODE -ne 0) {
        throw "exit code $LASTEXITCODE of 'cimconvert $args': $((Get-Content -Raw $errors) -replace '\s+', ' ')"
    }

    $output
}

# One line of the summary. Needs names a step without which this one has nothing to work on. Can says whether this Windows is expected
# to do it: where it is not, a refusal by the program is what is wanted. IsOpen is a question that nobody has an answer to.
function Step([string] $Name, [bool] $Can, [scriptblock] $Body, [string] $Needs, [switch] $IsOpen) {
    $outcome, $detail = 'done', ''
    if ($Needs -and -not ($steps | Where-Object { $_.Name -eq $Needs -and $_.Outcome -eq 'done' })) {
        $outcome, $detail = 'could not', "needs: $Needs"
    }
    else {
        try {
            $detail = "$(& $Body)"
        }
        catch {
            $detail = $_.Exception.Message
            $isRefused = $detail -match 'the native back end cannot be used|CIMs cannot be mounted here'
            $outcome = if (-not $Can -and $isRefused) { 'could not' } elseif ($IsOpen) { 'refused by Windows' } else { 'FAILED' }
        }
    }

    $steps.Add([pscustomobject] @{ Name = $Name; Outcome = $outcome; Detail = $detail })
    Write-Host "${outcome}: $Name $detail"
}

# Mounts, expects a file below, and dismounts whatever comes of it.
function Test-Mount([string] $Cim, [string] $File) {
    $volume = Invoke-Program mount $Cim
    try {
        $path = "$volume$File"
        if (-not [IO.File]::Exists($path)) {
            throw "$volume has no $File"
        }

        "$File has $([IO.File]::ReadAllBytes($path).Length) bytes"
    }
    finally {
        Invoke-Program dismount $volume | Out-Null
    }
}

$managed = Join-Path $folder 'managed'
$native = Join-Path $folder 'native'
$exported = Join-Path $folder 'exported'
$cims = Join-Path $folder 'cims'
$state = @{}

Step 'Convert the demo with the managed back end' $true {
    $state.Managed = Invoke-Program demo --output $managed --quiet --json | ConvertFrom-Json
    Invoke-Program verify $managed | Out-Null
}
Step 'Convert the demo with the native back end' ($hasWriter -or $hasSealed) {
    $state.Native = Invoke-Program demo --output $native --quiet --json --backend native | ConvertFrom-Json
    Invoke-Program verify $native | Out-Null
}
Step 'Mount what it made' $hasSealed -Needs 'Convert the demo with the native back end' {
    Test-Mount "${native}::$($state.Native.image)" 'Files\app\app.exe'
}
Step 'Import a layer into a standard CIM with the native back end' ($hasWriter -or $hasStandard) -Needs 'Convert the demo with the managed back end' {
    # A base layer needs registry hives: the demo's.
    $layer = Join-Path $folder 'layer'
    Invoke-Program extract $state.Managed.layers[0].path $layer | Out-Null
    [Formats.Tar.TarFile]::CreateFromDirectory($layer, "$layer.tar", $false)
    New-Item -ItemType Directory $cims | Out-Null
    Invoke-Program import "$layer.tar" --forked --cim (Join-Path $cims 'base.cim') --layer-dir (Join-Path $folder 'base') --backend native --quiet | Out-Null
}
Step 'Mount that standard CIM' $hasStandard -Needs 'Import a layer into a standard CIM with the native back end' {
    Test-Mount (Join-Path $cims 'base.cim') 'Files\License.txt'
}
Step 'Export what the managed back end made as a standard CIM' $true -Needs 'Convert the demo with the managed back end' {
    Invoke-Program export $state.Managed.layers[0].path $exported | Out-Null
}
Step 'Mount what the managed back end made' $hasStandard -IsOpen -Needs 'Export what the managed back end made as a standard CIM' {
    Test-Mount (Get-ChildItem $exported -Filter '*.cim' | Select-Object -First 1).FullName 'Files\License.txt'
}

$proven = @($steps | Where-Object { $_.Outcome -eq 'done' -and $_.Name -match 'native|Mount' })
$lines = @(
    '## What this Windows could do with CIMs'
    ''
    "Build $build.$revision; cimfs.dll is $(if ($hasCimFs) { 'there' } else { 'not there' }), cimwriter.dll is $(if ($hasWriter) { 'there' } else { 'not there' })."
    ''
    '| step | outcome | detail |'
    '|---|---|---|'
    $steps | ForEach-Object { "| $($_.Name) | $($_.Outcome) | $($_.Detail -replace '\|', '\|') |" }
    ''
    if ($proven.Count -eq 0) { '**Windows wrote nothing and mounted nothing here: this run says nothing about the native back end.**' }
    else { "**Done by Windows: $($proven.Name -join '; ').** What could not be tried is not shown to work." }
)
$lines | Write-Host
if ($Summary) {
    $lines | Add-Content $Summary
}

Remove-Item -Recurse -Force $folder -ErrorAction Continue
if ($steps | Where-Object Outcome -eq 'FAILED') {
    exit 1
}
