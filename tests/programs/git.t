# A person keeps a small history with git.

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'

#== commits, branches and merges
git init -q -b main repo && cd repo
seq 20 > numbers && git add numbers && git commit -qm first
git switch -qc side && sed -i '2s/.*/two/' numbers && git commit -qam side
git switch -q main && sed -i '18s/.*/eighteen/' numbers && git commit -qam main
git merge -q -m merged side
git log --graph --oneline
git show --stat --format=%s HEAD~1
cat numbers | head -3
git fsck && git gc -q && git count-objects -v | grep -E 'packs|count'

#== refuses to merge what conflicts (exit 1)
git init -q -b main repo && cd repo
echo a > f && git add f && git commit -qm 1
git switch -qc side && echo b > f && git commit -qam 2
git switch -q main && echo c > f && git commit -qam 3
git merge side; status=$?
cat f; git status --short
exit $status

#== clones, fetches and pushes between folders
git init -q --bare hub.git
git clone -q hub.git one 2>/dev/null && git clone -q hub.git two 2>/dev/null
(cd one && git switch -qc main 2>/dev/null; echo x > f && git add f && git commit -qm f && git push -q origin main)
(cd two && git fetch -q && git switch -q main && cat f && git log --format=%H)
