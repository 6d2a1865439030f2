// The shell that a job runs under. It writes down who it is before the command starts and how the command ended, so
// that the job outlives the executor and another one finds it; both records end with a newline, and one without it is
// not written yet. `TERM` is for the command: the shell itself stays to write the exit code.

/** Exit code of a wrapper that found the job taken by another. */
export const takenExitCode = 75;

/** Bash; `$1` is the job's folder. */
export const processWrapper = `
set -C
if read -r stat </proc/$$/stat; then
  fields=(\${stat##*) })
  started=\${fields[19]}
else
  started=$(echo $(ps -o lstart= -p $$))
fi
echo "$$ $started" >"$1/process" || exit ${takenExitCode}
set +C
trap : TERM INT HUP
cd "$1/exe/wd" || exit
"$BASH" "$1/command.sh" >>"$1/user_logs/std_log.txt" 2>&1 </dev/null
code=$?
echo "$code" >"$1/exit"
exit "$code"
`;
