gradsim help data
gradsim help save
gradsim help clip
gradsim help exit-status
